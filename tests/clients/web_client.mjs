/** A single-page client that `--web-client` serves: opened at one of its own addresses, it shows the board. */
import { withPage } from './browser.mjs';
import { obey, settings, report } from './lines.mjs';

await withPage(async (page) => {
  await page.goto(`${settings.url}/projects/${settings.boardId}?cardId=none`);
  await page.waitForSelector('#board:not([data-state="loading"])');
  report('shown', {
    state: await page.locator('#board').getAttribute('data-state'),
    fault: await page.textContent('#fault'),
    titles: await page.locator('[data-card-id]').allTextContents(),
  });
  await obey({
    expectCard: async ({ title, columnId }) => {
      await page.locator(`[data-column-id="${columnId}"] [data-card-id]`).filter({ hasText: title }).waitFor();
      report('card', { title });
    },
  });
});
