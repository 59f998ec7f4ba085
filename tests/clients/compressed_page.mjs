/** A page of Chromium that follows a board by WebSocket, without code of ours; what the browser offers is accepted. */
import { withPage } from './browser.mjs';
import { obey, settings, report } from './lines.mjs';

await withPage(async (page) => {
  await page.goto(`${settings.url}/static/icon.svg`); // an empty page of the same origin
  await page.exposeFunction('reportFrame', (frame) => report('frame', frame));
  await page.evaluate(({ socketUrl }) => {
    const socket = new WebSocket(socketUrl);
    socket.onmessage = ({ data }) => globalThis.reportFrame({ extensions: socket.extensions, message: JSON.parse(data) });
    globalThis.socket = socket;
  }, settings);
  await obey({ send: ({ message }) => page.evaluate((text) => globalThis.socket.send(text), JSON.stringify(message)) });
});
