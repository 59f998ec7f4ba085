/** The first visit to GraphiQL of a browser without a cache, and the bytes that it loads, with their headers. */
import { withPage } from './browser.mjs';
import { openGraphiql } from './graphiql_page.mjs';
import { obey, settings, report } from './lines.mjs';

await withPage(async (page) => {
  await openGraphiql(page, settings.url);
  await page.waitForLoadState('networkidle');
  const loaded = await page.evaluate(() =>
    ['navigation', 'resource'].flatMap((kind) => performance.getEntriesByType(kind))
      .map(({ name, transferSize }) => ({ name, bytes: transferSize })));
  report('loaded', { loaded });
  await obey({});
});
