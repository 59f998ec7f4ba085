/**
 * Opens GraphiQL on the server's own GraphQL address: one tab per document of graphql/operations/,
 * queries and mutations by POST, subscriptions by the chosen transport. Tabs are made in tabs.js,
 * connections in subscriptions.js; everything else is GraphiQL's own.
 */
import { Logo } from './logo.js';
import { PrefixedStorage } from './storage.js';
import { Subscriptions } from './subscriptions.js';
import { makeTabs, refreshStoredTabs, seedFirstTab } from './tabs.js';

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

async function readFirstBoard(projects) {
  if (projects.length === 0) return null;
  const answer = await readJson(`/api/v1/boards/${encodeURIComponent(projects[0].id)}`, null);
  return { id: projects[0].id, state: answer?.state ?? null };
}

/** Subscriptions go their own way, everything else that of GraphiQL's toolkit. */
function createFetcher(subscriptions) {
  const post = GraphiQL.createFetcher({ url: endpoint.href, enableIncrementalDelivery: false });
  return (request, options) =>
    isSubscription(options?.documentAST, request.operationName)
      ? subscriptions.start(request, options.headers ?? {})
      : post(request, options);
}

const isSubscription = (document, operationName) =>
  document?.definitions.some(
    ({ operation, name }) => operation === 'subscription' && (!operationName || name?.value === operationName),
  );

async function main() {
  const [operations, projects] = await Promise.all([
    readJson('/static/operations.json', []),
    readJson('/api/v1/projects', []),
  ]);
  const board = await readFirstBoard(projects);
  const tabs = makeTabs(operations, board);
  const storage = new PrefixedStorage(localStorage, 'boardcast:');
  refreshStoredTabs(storage, projects.map((project) => project.id), board);
  seedFirstTab(storage, tabs);
  const subscriptions = new Subscriptions(endpoint, storage);
  const page = React.createElement(
    GraphiQL,
    {
      fetcher: createFetcher(subscriptions),
      storage,
      plugins: [GraphiQLPluginExplorer.explorerPlugin()],
      defaultTabs: tabs.length > 0 ? tabs : undefined,
      defaultEditorToolsVisibility: 'variables',
    },
    React.createElement(GraphiQL.Logo, null, React.createElement(Logo, { subscriptions })),
  );
  ReactDOM.createRoot(document.getElementById('graphiql')).render(page);
}

await main();
