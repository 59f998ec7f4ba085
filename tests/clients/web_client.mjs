/** A client of one page that `--web-client` serves: opened at an address of its own, it shows the board. */
import { withPage } from './browser.mjs';
import { obey, settings, tell } from './lines.mjs';

await withPage(async (page) => {
  await page.goto(`${settings.url}/projects/${settings.boardId}?cardId=none`);
  await page.waitForSelector('#board:not([data-state="loading"])');
  tell('shown', {
    state: await page.locator('#board').getAttribute('data-state'),
    fault: await page.textContent('#fault'),
    titles: await page.locator('[data-card-id]').allTextContents(),
  });
  await obey({
    expectCard: async ({ title, columnId }) => {
      await page.locator(`[data-column-id="${columnId}"] [data-card-id]`).filter({ hasText: title }).waitFor();
      tell('card', { title });
    },
  });
});
