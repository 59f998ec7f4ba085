/**
 * Makes the README's picture from a running demo: GraphiQL with a live subscription above the page with the same board.
 * Both screenshots are joined without scaling.
 */
import { withPage } from './browser.mjs';
import { openGraphiql, openTab, paneHolding, run } from './graphiql_page.mjs';
import { settings } from './lines.mjs';

const WIDTH = 1460;
const HEIGHTS = { graphiql: 500, page: 620 };
const ACTIVITY_LINES = 8; // enough to show the work of the agent

const png = (data) => `data:image/png;base64,${data.toString('base64')}`;

await withPage(async (graphiql) => {
  const page = await graphiql.context().newPage();
  await page.setViewportSize({ width: WIDTH, height: HEIGHTS.page });
  await page.goto(settings.url);
  await graphiql.setViewportSize({ width: WIDTH, height: HEIGHTS.graphiql });
  await openGraphiql(graphiql, settings.url);
  await openTab(graphiql, 'BoardState');
  await run(graphiql);
  await paneHolding(graphiql, 'result', '"cards"');
  await page.waitForSelector(`#activity li:nth-child(${ACTIVITY_LINES})`);
  const shots = [await graphiql.screenshot(), await page.screenshot()];

  const frame = await graphiql.context().newPage();
  await frame.setViewportSize({ width: WIDTH, height: HEIGHTS.graphiql + HEIGHTS.page });
  await frame.setContent(shots.map((shot) => `<img src="${png(shot)}" style="display: block">`).join(''));
  await frame.addStyleTag({ content: 'body { margin: 0 }' });
  await frame.waitForFunction(() => [...document.images].every((image) => image.complete));
  await frame.screenshot({ path: settings.path });
});
