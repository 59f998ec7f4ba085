/**
 * The page at `/` and GraphiQL in Chromium on a server that needs a token, in as many pages of one profile as the test opens.
 * An order names its page by number; the default is the first.
 */
import { checkAccess } from './accessibility.mjs';
import { withPage } from './browser.mjs';
import * as graphiql from './graphiql_page.mjs';
import { obey, settings, report } from './lines.mjs';

await withPage(async (firstPage) => {
  const pages = [firstPage];
  const on = (handler) => (order) => handler(pages[order.page ?? 0], order);
  await obey({
    newPage: async () => pages.push(await firstPage.context().newPage()),
    open: on(async (page, { path }) => {
      await page.goto(settings.url + path);
      report('opened');
    }),
    /** Wait for the form with this reason; report which element has the focus, and whether content of a board is shown. */
    expectForm: on(async (page, { reason }) => {
      await page.locator('#sign-in-reason').filter({ hasText: reason }).waitFor();
      report('form', {
        focus: await page.evaluate(() => document.activeElement?.getAttribute('name')),
        cards: await page.locator('[data-card-id]').count(),
        boards: await page.locator('#boards a').count(),
        visible: await page.locator('#layout, #addresses, #graphiql, #session').filter({ visible: true }).count(),
      });
    }),
    signIn: on(async (page, { token }) => {
      await page.getByLabel('Token').fill(token);
      await page.getByRole('button', { name: 'Sign in' }).click();
    }),
    expectRefusal: on(async (page, { text }) => {
      await page.getByRole('alert').filter({ hasText: text }).waitFor();
      report('refusal', { left: await page.getByLabel('Token').inputValue() });
    }),
    /** Wait for the live board; report what its reader sees. */
    expectLive: on(async (page) => {
      await page.waitForSelector('#connection[data-state="live"]');
      await page.waitForSelector('[data-card-id]');
      report('live', { ...(await readControls(page)), subject: await page.textContent('#subject'), grants: await page.textContent('#grants') });
    }),
    expectCard: on(async (page, { title }) => {
      await page.locator('[data-card-id]').filter({ hasText: title }).waitFor();
      report('card', { title });
    }),
    create: on(async (page, { columnId, title }) => {
      await page.fill(`[data-column-id="${columnId}"] input[name="title"]`, title);
      await page.keyboard.press('Enter');
    }),
    signOut: on((page) => page.getByRole('button', { name: 'Sign out' }).click()),
    expectGraphiql: on(async (page) => {
      await page.locator('.graphiql-execute-button').filter({ visible: true }).waitFor();
      const tabs = await page.locator('.graphiql-tab-button').allTextContents();
      report('graphiql', { subject: await page.textContent('#subject'), grants: await page.textContent('#grants'), tabs });
    }),
    run: on(async (page, { name }) => {
      await graphiql.openTab(page, name);
      await graphiql.run(page);
    }),
    expectResult: on(async (page, { text }) => {
      await graphiql.paneHolding(page, 'result', text);
      report('result');
    }),
    expectConnection: on(async (page, { state }) => {
      report('connection', { text: await graphiql.connectionIn(page, state) });
    }),
    /** Report everything in which a script of the page could find the token. */
    readKept: on(async (page) => {
      const kept = () => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, document.documentElement.outerHTML]);
      report('kept', { text: await page.evaluate(kept) });
    }),
    checkAccess: on(checkAccess),
    screenshot: on((page, { path }) => page.screenshot({ path, fullPage: true })),
  });
});

async function readControls(page) {
  const visible = (selector) => page.locator(selector).filter({ visible: true }).count();
  const controls = {
    forms: await visible('.create-card'),
    movable: await page.locator('[data-movable="true"]').count(),
    newBoard: await visible('#new-board'),
    boardActions: await visible('.board-actions button'),
  };
  await page.getByRole('button', { name: 'Addresses' }).click();
  await page.waitForSelector('#exits');
  const links = await page.locator('#exits a').count();
  await page.keyboard.press('Escape');
  return { ...controls, links };
}
