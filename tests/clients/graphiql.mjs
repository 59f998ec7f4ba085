/**
 * GraphiQL in Chromium, in as many pages as the test opens. An order names its page by number; the default is the first.
 * The script also reports each subscription that a page starts: `init` with the payload of a socket's connection_init,
 * `post` with the headers of a request for an event stream.
 */
import { withPage } from './browser.mjs';
import * as graphiql from './graphiql_page.mjs';
import { obey, settings, report } from './lines.mjs';

await withPage(async (firstPage) => {
  const pages = [firstPage];
  const on = (handler) => (order) => handler(pages[order.page ?? 0], order);
  reportSubscriptions(firstPage);
  report('open', { tabs: await graphiql.openGraphiql(firstPage, settings.url) });

  await obey({
    openPage: async () => {
      const page = await firstPage.context().newPage();
      pages.push(page);
      report('open', { tabs: await graphiql.openGraphiql(page, settings.url) });
    },
    /** Open the tab of an operation and report its content. */
    openTab: on(async (page, { name }) => {
      await graphiql.openTab(page, name);
      report('tab', { query: await graphiql.textOf(page, 'query'), variables: await graphiql.textOf(page, 'variables') });
    }),
    writeQuery: on((page, { name, text }) => graphiql.writeQuery(page, name, text)),
    writeHeaders: on((page, { text }) => graphiql.writeHeaders(page, text)),
    run: on((page) => graphiql.run(page)),
    expectQuery: on(async (page, { text }) => {
      await graphiql.paneHolding(page, 'query', text);
      report('query');
    }),
    expectResult: on(async (page, { text }) => {
      await graphiql.paneHolding(page, 'result', text);
      report('result', { text: await graphiql.textOf(page, 'result') });
    }),
    openPlugin: on((page, { title }) => graphiql.openPlugin(page, title)),
    pickField: on((page, { type, field }) => graphiql.pickField(page, type, field)),
    readDocumentation: on(async (page, { links }) => {
      report('documentation', { text: await graphiql.readDocumentation(page, links) });
    }),
    readHistory: on(async (page) => report('history', { labels: await graphiql.readHistory(page) })),
    /** Set the colour scheme of the system to `light` or `dark`. */
    system: on((page, { colorScheme }) => page.emulateMedia({ colorScheme })),
    chooseTheme: on((page, { name }) => graphiql.chooseTheme(page, name)),
    readColours: on(async (page) => report('colours', await graphiql.readColours(page))),
    chooseTransport: on((page, { transport }) => graphiql.chooseTransport(page, transport)),
    readTransport: on(async (page) => report('transport', { chosen: await graphiql.chosenTransport(page) })),
    expectConnection: on(async (page, { state }) => {
      report('connection', { text: await graphiql.connectionIn(page, state) });
    }),
    /** Wait until so many events have come, and report those in view, the newest first. */
    expectEvents: on(async (page, { count }) => {
      await page.locator('#events p', { hasText: new RegExp(`^${count} events?,`) }).waitFor();
      report('events', { texts: await page.locator('#events summary code').allTextContents() });
    }),
    screenshot: on((page, { path }) => page.screenshot({ path })),
  });
});

function reportSubscriptions(page) {
  page.on('websocket', (socket) => {
    socket.on('framesent', ({ payload }) => {
      const message = JSON.parse(payload);
      if (message.type === 'connection_init') report('init', { payload: message.payload });
    });
  });
  page.on('request', async (request) => {
    // Only a subscription is asked for all of its headers: a last request of another kind may end with the page.
    if (request.headers().accept !== 'text/event-stream') return;
    report('post', { headers: await request.allHeaders() });
  });
}
