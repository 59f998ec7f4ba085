/**
 * Opens GraphiQL on the server's own GraphQL address: one tab per document of graphql/operations/ that the reader may run,
 * queries and mutations by POST, subscriptions by the chosen transport. Tabs are made in tabs.js, their variables
 * in samples.js, connections in subscriptions.js; signed_in.js asks for a token. Everything else is GraphiQL's own.
 */
import { may } from '../common/session.js';
import { Events } from './events.js';
import { Logo } from './logo.js';
import { makeSource } from './samples.js';
import { SignedIn } from './signed_in.js';
import { PrefixedStorage } from './storage.js';
import { Subscriptions } from './subscriptions.js';
import { makeTabs, refreshStoredTabs, seedFirstTab, shownOperations, syncStoredTabs } from './tabs.js';

const { React, ReactDOM, GraphiQL, GraphiQLPluginExplorer } = globalThis;
const endpoint = new URL('/graphql', location.href);

async function readJson(path, fallback) {
  try {
    const response = await fetch(path, { headers: { accept: 'application/json' } });
    return response.ok ? await response.json() : fallback;
  } catch {
    return fallback; // GraphiQL opens without prefilled tabs rather than not at all
  }
}

async function readSource(projects, session) {
  if (projects.length === 0) return null;
  const [board, overview] = await Promise.all([
    readJson(`/api/v1/boards/${encodeURIComponent(projects[0].id)}`, null),
    session === null || may(session, 'dashboard') ? readJson('/api/v1/dashboard', null) : null,
  ]);
  return makeSource(projects[0].id, board?.state, overview);
}

/** Subscriptions go their own way, everything else that of GraphiQL's toolkit; its answers say what they cost. */
function createFetcher(subscriptions, signedIn) {
  const post = GraphiQL.createFetcher({
    url: endpoint.href,
    enableIncrementalDelivery: false,
    fetch: async (address, options) => {
      const response = await fetch(address, options);
      if (response.status === 401) signedIn.check();
      return response;
    },
  });
  return (request, options) =>
    isSubscription(options?.documentAST, request.operationName)
      ? subscriptions.start(request, options.headers ?? {})
      : post({ ...request, extensions: { ...request.extensions, cost: true } }, options);
}

const isSubscription = (document, operationName) =>
  document?.definitions.some(
    ({ operation, name }) => operation === 'subscription' && (!operationName || name?.value === operationName),
  );

async function main() {
  const signedIn = new SignedIn(document.getElementById('sign-in'), document.getElementById('graphiql'));
  await signedIn.check('This server needs a token.');
  const [operations, projects] = await Promise.all([
    readJson('/static/operations.json', []),
    readJson('/api/v1/projects', []),
  ]);
  const source = await readSource(projects, signedIn.session);
  const shown = shownOperations(operations, signedIn.session);
  const tabs = makeTabs(shown, source);
  const storage = new PrefixedStorage(localStorage, 'boardcast:');
  syncStoredTabs(storage, operations, shown, source);
  refreshStoredTabs(storage, projects.map((project) => project.id), source);
  seedFirstTab(storage, tabs);
  const subscriptions = new Subscriptions(endpoint, storage);
  subscriptions.listen(() => {
    if (['lost', 'failed'].includes(subscriptions.snapshot.state)) signedIn.check();
  });
  const page = React.createElement(
    GraphiQL,
    {
      fetcher: createFetcher(subscriptions, signedIn),
      storage,
      plugins: [GraphiQLPluginExplorer.explorerPlugin()],
      defaultTabs: tabs.length > 0 ? tabs : undefined,
      defaultEditorToolsVisibility: 'variables',
    },
    React.createElement(GraphiQL.Logo, null, React.createElement(Logo, { subscriptions, signedIn })),
    React.createElement(GraphiQL.Footer, null, React.createElement(Events, { subscriptions })),
  );
  ReactDOM.createRoot(document.getElementById('graphiql')).render(page);
}

await main();
