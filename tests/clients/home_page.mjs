/** The page at `/` in Chromium: shows the board, shows what others change, moves and creates cards itself. */
import { withPage } from './browser.mjs';
import { obey, settings, tell } from './lines.mjs';

const cardOf = (cardId) => `[data-card-id="${cardId}"]`;
const columnOf = (columnId) => `[data-column-id="${columnId}"]`;

await withPage(async (page) => {
  await page.goto(`${settings.url}/#${settings.boardId}`);
  await page.waitForSelector('#connection[data-state="live"]');
  await page.waitForSelector('[data-column-id]');
  tell('live', { boards: await page.locator('#boards a').allTextContents() });

  await obey({
    /** Wait until a card with this title is shown in the column. */
    expectCard: async ({ title, columnId }) => {
      await page.locator(`${columnOf(columnId)} [data-card-id]`).filter({ hasText: title }).waitFor();
      tell('shown', { title });
    },
    expectActivity: async ({ type, text }) => {
      await page.locator(`#activity [data-type="${type}"]`).filter({ hasText: text }).waitFor();
      tell('shown', { text });
    },
    expectStatus: async ({ cardId, status }) => {
      await page.waitForSelector(`${cardOf(cardId)}[data-status="${status}"]`);
      tell('shown', { status });
    },
    create: async ({ columnId, title }) => {
      await page.fill(`${columnOf(columnId)} input[name="title"]`, title);
      await page.keyboard.press('Enter');
    },
    press: ({ cardId, action }) => page.click(`${cardOf(cardId)} [data-action="${action}"]`),
    drag: ({ cardId, columnId }) => page.dragAndDrop(cardOf(cardId), columnOf(columnId)),
    expectError: async () => tell('refused', { text: await page.textContent('#errors .error') }),
    expectConnection: async ({ state }) => {
      await page.waitForSelector(`#connection[data-state="${state}"]`);
      tell('connection', { state });
    },
    screenshot: ({ path }) => page.screenshot({ path, fullPage: true }),
  });
});
