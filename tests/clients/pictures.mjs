/**
 * Makes the pictures of the documentation from a running demo, in the folder `settings.folder`: one of each page, and the
 * README's, which is GraphiQL with a live subscription above the page with the same board.
 */
import { withPage } from './browser.mjs';
import { openGraphiql, openTab, paneHolding, run } from './graphiql_page.mjs';
import { report, settings } from './lines.mjs';

const SIZE = { width: 1460, height: 820 };
const HEIGHTS = { graphiql: 500, page: 620 }; // in the README
const ACTIVITY_LINES = 8; // enough to show the work of the agent

const png = (data) => `data:image/png;base64,${data.toString('base64')}`;

await withPage(async (graphiql) => {
  const page = await graphiql.context().newPage();
  const save = async (name, shown = page) => {
    await shown.evaluate(() => Promise.all(document.getAnimations()
      .filter((one) => Number.isFinite(one.effect.getComputedTiming().endTime))
      .map((one) => one.finished.catch(() => null))));
    await shown.screenshot({ path: `${settings.folder}/${name}.png` });
    report('saved', { name });
  };
  const visit = async (path, selector) => {
    await page.goto(settings.url + path);
    await page.waitForSelector(selector);
  };

  await page.setViewportSize({ ...SIZE, height: HEIGHTS.page });
  await visit('/', '#connection[data-state="live"]');
  await graphiql.setViewportSize({ ...SIZE, height: HEIGHTS.graphiql });
  await openGraphiql(graphiql, settings.url);
  await openTab(graphiql, 'BoardState');
  await run(graphiql);
  await paneHolding(graphiql, 'result', '"cards"');
  await page.waitForSelector(`#activity li:nth-child(${ACTIVITY_LINES})`);
  const shots = [await graphiql.screenshot(), await page.screenshot()];
  await graphiql.setViewportSize(SIZE);
  await save('graphiql', graphiql);

  await page.setViewportSize(SIZE);
  await save('board');
  await page.click('.card:is([data-status="running"], [data-status="succeeded"]) .card-open');
  await page.waitForSelector('#card-panel .tail li');
  await save('card');
  await visit('/dashboard', '.dashboard canvas');
  await save('dashboard');
  await visit('/inspector', '#streams tbody tr');
  await page.waitForSelector('#log-events li');
  await save('inspector');
  await visit('/docs', '#described *');
  await save('docs');

  const frame = await graphiql.context().newPage();
  await frame.setViewportSize({ ...SIZE, height: HEIGHTS.graphiql + HEIGHTS.page });
  await frame.setContent(shots.map((shot) => `<img src="${png(shot)}" style="display: block">`).join(''));
  await frame.addStyleTag({ content: 'body { margin: 0 }' });
  await frame.waitForFunction(() => [...document.images].every((image) => image.complete));
  await save('boardcast', frame);
});
