/** GraphiQL in a page: opens it, changes tabs, reads its panes. */

const PANES = { query: '.graphiql-query-editor', variables: '.graphiql-editor-tool', result: '.result-window' };

/** Open GraphiQL and return its tabs' titles. */
export async function openGraphiql(page, url) {
  await page.goto(`${url}/graphql`);
  await page.waitForSelector('.graphiql-execute-button');
  return page.locator('.graphiql-tab-button').allTextContents();
}

/** Open the tab of an operation and return once GraphiQL has read its document. */
export async function openTab(page, name) {
  await page.locator('.graphiql-tab-button').filter({ hasText: new RegExp(`^${name}$`) }).click();
  // GraphiQL reads a new document after a pause for typing; until then "run" would run the operation before it.
  await page.waitForFunction(
    ([selector, operation]) => document.querySelector(`${selector} .CodeMirror`)?.CodeMirror.operationName === operation,
    [PANES.query, name],
  );
}

export const run = (page) => page.click('.graphiql-execute-button');

/** The whole text of a pane, also what is scrolled out of sight. */
export const textOf = (page, pane) =>
  page.evaluate((selector) => document.querySelector(`${selector} .CodeMirror`).CodeMirror.getValue(), PANES[pane]);

/** Wait until the result pane holds the text. */
export const resultHolding = (page, text) =>
  page.waitForFunction(
    ([selector, word]) => document.querySelector(`${selector} .CodeMirror`)?.CodeMirror.getValue().includes(word),
    [PANES.result, text],
  );
