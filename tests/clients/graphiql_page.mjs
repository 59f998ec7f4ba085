/** GraphiQL in a page: opens it, changes tabs, reads and writes its panes, opens its plugins and settings. */

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
  await operationRead(page, name);
}

/** GraphiQL reads a new document after a typing pause. Until then "run" would run the previous operation. */
const operationRead = (page, name) =>
  page.waitForFunction(
    ([selector, operation]) => document.querySelector(`${selector} .CodeMirror`)?.CodeMirror.operationName === operation,
    [PANES.query, name],
  );

/** Replace the shown document by another one with an operation of that name. */
export async function writeQuery(page, name, text) {
  await replaceText(page, page.locator(PANES.query), text);
  await operationRead(page, name);
}

export const run = (page) => page.click('.graphiql-execute-button');

/** The whole text of a pane, including the parts that are not visible. */
export const textOf = (page, pane) =>
  page.evaluate((selector) => document.querySelector(`${selector} .CodeMirror`).CodeMirror.getValue(), PANES[pane]);

/** Wait until the pane contains the text. */
export const paneHolding = (page, pane, text) =>
  page.waitForFunction(
    ([selector, word]) => document.querySelector(`${selector} .CodeMirror`)?.CodeMirror.getValue().includes(word),
    [PANES[pane], text],
  );

/** Write the headers pane. */
export async function writeHeaders(page, text) {
  await page.locator('.graphiql-editor-tools').getByRole('button', { name: 'Headers' }).click();
  await replaceText(page, page.locator('.graphiql-editor-tool .graphiql-editor:not(.hidden)'), text);
}

/** Insert the text at once, because the editor would close typed brackets. */
async function replaceText(page, editor, text) {
  await editor.locator('.CodeMirror').click();
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.insertText(text);
}

/** Open the pane of a plugin by its title. */
export const openPlugin = (page, title) => page.click(`button[aria-label="Show ${title}"]`);

/** Choose a field of a type in the explorer. */
export const pickField = (page, type, field) =>
  page.click(`.graphiql-explorer-root [data-field-name="${field}"][data-field-type="${type}"]`);

/** Follow links of the documentation and return the description of the last one. */
export async function readDocumentation(page, links) {
  const pane = page.locator('.graphiql-doc-explorer');
  for (const name of links) {
    await pane.getByRole('link', { name, exact: true }).click();
    await pane.locator('.graphiql-doc-explorer-title', { hasText: name }).waitFor();
  }
  return pane.locator('.graphiql-markdown-description').first().innerText();
}

/** The labels in the history, newest first. */
export const readHistory = (page) => page.locator('.graphiql-history-item-label').allTextContents();

/** Choose `System`, `Light` or `Dark` in the settings. */
export async function chooseTheme(page, name) {
  await page.click('button[aria-label="Open settings dialog"]');
  await page.locator('.graphiql-dialog').getByRole('button', { name, exact: true }).click();
  await page.keyboard.press('Escape');
}

/** The computed colour of the background, and the colour scheme of the browser's own controls. */
export const readColours = (page) =>
  page.evaluate(() => ({
    background: getComputedStyle(document.querySelector('.graphiql-container')).backgroundColor,
    controls: getComputedStyle(document.documentElement).colorScheme,
  }));

/** Choose the transport of subscriptions like a user, by the control's label. */
export const chooseTransport = (page, transport) => page.getByLabel('Subscribe by').selectOption(transport);

/** The selected transport. */
export const chosenTransport = (page) => page.getByLabel('Subscribe by').inputValue();

/** Wait until the line about the subscription's connection shows the state, and return its text. */
export async function connectionIn(page, state) {
  const line = page.locator(`#connection[data-state="${state}"]`);
  await line.waitFor();
  return line.innerText();
}
