/** A page's own EventSource in Chromium, as a front-end developer would write it, without any code of ours. */
import { withPage } from './browser.mjs';
import { obey, settings, tell } from './lines.mjs';

await withPage(async (page) => {
  await page.goto(`${settings.url}/static/icon.svg`); // an empty page of the same origin
  await page.exposeFunction('tellEvent', (event) => tell('event', event));
  await page.evaluate(({ streamUrl, types }) => {
    const source = new EventSource(streamUrl);
    for (const type of types) {
      source.addEventListener(type, ({ data, lastEventId }) => {
        globalThis.tellEvent({ type, data: JSON.parse(data), id: lastEventId });
      });
    }
  }, settings);
  await obey({});
});
