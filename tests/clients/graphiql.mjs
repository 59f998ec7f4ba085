/** GraphiQL in Chromium: tells its tabs, runs the document of one, waits for words in the result pane. */
import { withPage } from './browser.mjs';
import { obey, settings, tell } from './lines.mjs';

const PANES = { query: '.graphiql-query-editor', variables: '.graphiql-editor-tool', result: '.result-window' };

const textOf = (page, pane) =>
  page.evaluate((selector) => document.querySelector(`${selector} .CodeMirror`).CodeMirror.getValue(), PANES[pane]);

await withPage(async (page) => {
  await page.goto(`${settings.url}/graphql`);
  await page.waitForSelector('.graphiql-execute-button');
  const tabs = page.locator('.graphiql-tab-button');
  tell('open', { tabs: await tabs.allTextContents() });

  await obey({
    /** Open the tab of an operation and tell what it holds. */
    openTab: async ({ name }) => {
      await tabs.filter({ hasText: new RegExp(`^${name}$`) }).click();
      // GraphiQL reads a new document after a pause for typing; until then "run" would run the operation before it.
      await page.waitForFunction(
        ([selector, operation]) => document.querySelector(`${selector} .CodeMirror`)?.CodeMirror.operationName === operation,
        [PANES.query, name],
      );
      tell('tab', { query: await textOf(page, 'query'), variables: await textOf(page, 'variables') });
    },
    run: () => page.click('.graphiql-execute-button'),
    expectResult: async ({ text }) => {
      await page.waitForFunction(
        ([selector, word]) => document.querySelector(`${selector} .CodeMirror`)?.CodeMirror.getValue().includes(word),
        [PANES.result, text],
      );
      tell('result', { text: await textOf(page, 'result') });
    },
    screenshot: ({ path }) => page.screenshot({ path }),
  });
});
