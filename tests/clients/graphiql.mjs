/** GraphiQL in Chromium: tells its tabs, runs the document of one, waits for words in the result pane. */
import { withPage } from './browser.mjs';
import { openGraphiql, openTab, resultHolding, run, textOf } from './graphiql_page.mjs';
import { obey, settings, tell } from './lines.mjs';

await withPage(async (page) => {
  tell('open', { tabs: await openGraphiql(page, settings.url) });

  await obey({
    /** Open the tab of an operation and tell what it holds. */
    openTab: async ({ name }) => {
      await openTab(page, name);
      tell('tab', { query: await textOf(page, 'query'), variables: await textOf(page, 'variables') });
    },
    run: () => run(page),
    expectResult: async ({ text }) => {
      await resultHolding(page, text);
      tell('result', { text: await textOf(page, 'result') });
    },
    screenshot: ({ path }) => page.screenshot({ path }),
  });
});
