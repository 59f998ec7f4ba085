/** The page at `/` in Chromium: shows the board and the changes of others, moves and creates cards. */
import { withPage } from './browser.mjs';
import { drag } from './dragging.mjs';
import { obey, settings, report } from './lines.mjs';

const cardOf = (cardId) => `[data-card-id="${cardId}"]`;
const columnOf = (columnId) => `[data-column-id="${columnId}"]`;

await withPage(async (page) => {
  await page.goto(`${settings.url}/#${settings.boardId}`);
  await page.waitForSelector('#connection[data-state="live"]');
  await page.waitForSelector('[data-column-id]');
  report('live', { boards: await page.locator('#boards a').allTextContents() });

  await obey({
    /** Wait until the column shows a card with this title. */
    expectCard: async ({ title, columnId }) => {
      await page.locator(`${columnOf(columnId)} [data-card-id]`).filter({ hasText: title }).waitFor();
      report('shown', { title });
    },
    expectActivity: async ({ type, text }) => {
      await page.locator(`#activity [data-type="${type}"]`).filter({ hasText: text }).waitFor();
      report('shown', { text });
    },
    expectStatus: async ({ cardId, status }) => {
      await page.waitForSelector(`${cardOf(cardId)}[data-status="${status}"]`);
      report('shown', { status });
    },
    create: async ({ columnId, title }) => {
      await page.fill(`${columnOf(columnId)} input[name="title"]`, title);
      await page.keyboard.press('Enter');
    },
    /** Carry a card by the keyboard: each key of `keys` between picking it up and dropping it. */
    carry: async ({ cardId, keys, end = 'Space' }) => {
      await page.focus(`${cardOf(cardId)} .card-open`);
      for (const key of ['Space', ...keys, end]) await page.keyboard.press(key);
    },
    drag: ({ cardId, columnId }) => drag(page, cardOf(cardId), `${columnOf(columnId)} .cards`),
    expectError: async () => report('refused', { text: await page.textContent('#errors .error span') }),
    expectConnection: async ({ state }) => {
      await page.waitForSelector(`#connection[data-state="${state}"]`);
      report('connection', { state });
    },
    /** Give the page an event of the browser until it connects; a page in the middle of a try does not. */
    wake: async ({ target, event }) => {
      await page.evaluate(() => {}); // reports of earlier connections come before its answer
      // The page has a second stream, for the list of boards.
      const connected = page.waitForEvent('websocket', (socket) => socket.url().includes('boardId='));
      const give = ([name, type]) => setInterval(() => globalThis[name].dispatchEvent(new Event(type)), 50);
      const timer = await page.evaluate(give, [target, event]);
      await connected;
      await page.evaluate((id) => clearInterval(id), timer);
      report('connected');
    },
    screenshot: ({ path }) => page.screenshot({ path, fullPage: true }),
  });
});
