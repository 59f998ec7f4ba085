/** An EventSource in a page of Chromium, as a front-end developer would write it, without code of ours. */
import { withPage } from './browser.mjs';
import { obey, settings, report } from './lines.mjs';

await withPage(async (page) => {
  await page.goto(`${settings.url}/static/icon.svg`); // an empty page of the same origin
  await page.exposeFunction('reportEvent', (event) => report('event', event));
  await page.evaluate(({ streamUrl, types }) => {
    const source = new EventSource(streamUrl);
    for (const type of types) {
      source.addEventListener(type, ({ data, lastEventId }) => {
        globalThis.reportEvent({ type, data: JSON.parse(data), id: lastEventId });
      });
    }
  }, settings);
  await obey({});
});
