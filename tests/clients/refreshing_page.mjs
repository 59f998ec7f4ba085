/**
 * A page of Chromium that signs in, and follows a board by `EventSource` with the cookie of its session. When the stream
 * says goodbye, it signs in with the next token, and comes back with its last cursor. Its reports are those of
 * `refreshing.mjs`.
 */
import { withPage } from './browser.mjs';
import { obey, settings, report } from './lines.mjs';
import { token } from './tokens.mjs';

await withPage(async (page) => {
  await page.goto(`${settings.url}/static/icon.svg`); // an empty page of the same origin
  await page.exposeFunction('reportChange', (change) => report('change', change));
  await page.exposeFunction('nextToken', token);
  await page.evaluate(async (boardId) => {
    const types = { state: 'State', card_created: 'CardCreated', gap: 'Gap', goodbye: 'Goodbye' };
    let cursor = '';
    async function follow() {
      const body = JSON.stringify({ token: await globalThis.nextToken() });
      await fetch('/api/v1/session', { method: 'POST', body, headers: { 'Content-Type': 'application/json' } });
      const after = cursor && `&after=${cursor}`;
      const source = new EventSource(`/api/v1/sse?boardId=${boardId}&delivery=changes${after}`);
      for (const [type, name] of Object.entries(types)) {
        source.addEventListener(type, ({ data, lastEventId }) => {
          const { card, reason } = JSON.parse(data);
          cursor = lastEventId || cursor;
          globalThis.reportChange({ type: name, cursor: lastEventId, title: card?.title, reason });
          if (type !== 'goodbye') return;
          source.close();
          follow();
        });
      }
    }
    await follow();
  }, settings.boardId);
  await obey({});
});
