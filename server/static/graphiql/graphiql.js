/**
 * Opens GraphiQL on the server's own GraphQL address: one tab per document of graphql/operations/,
 * queries and mutations by POST, subscriptions by graphql-transport-ws. Tabs are made in tabs.js,
 * the socket in socket.js; everything else is GraphiQL's own.
 */
import { createSocketClient } from './socket.js';
import { makeTabs, refreshStoredTabs, seedFirstTab } from './tabs.js';
import { PrefixedStorage } from './storage.js';

const { React, ReactDOM, GraphiQL, GraphiQLPluginExplorer } = globalThis;
const endpoint = new URL('/graphql', location.href);

/** Status line of the subscription socket; GraphiQL itself shows nothing while it reconnects. */
const SOCKET_TEXTS = {
  idle: 'no subscription yet',
  connecting: 'connecting …',
  connected: 'subscriptions connected',
  lost: 'connection lost, trying again …',
};

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

function showSocketState(state) {
  const line = document.getElementById('socket');
  if (!line) return;
  line.dataset.state = state;
  line.textContent = SOCKET_TEXTS[state];
}

/** The fetcher of GraphiQL's toolkit, which remembers the headers pane so that the socket can send them as well. */
function createFetcher() {
  let headers = {};
  const fetcher = GraphiQL.createFetcher({
    url: endpoint.href,
    enableIncrementalDelivery: false,
    wsClient: createSocketClient(endpoint, { headers: () => headers, onState: showSocketState }),
  });
  return (request, options) => {
    headers = options?.headers ?? {};
    return fetcher(request, options);
  };
}

function logo() {
  const h = React.createElement;
  return h(
    GraphiQL.Logo,
    null,
    h('a', { className: 'logo-link', href: '/' }, 'Boardcast'),
    h('span', { id: 'socket', role: 'status', 'data-state': 'idle' }, SOCKET_TEXTS.idle),
  );
}

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
  const page = React.createElement(
    GraphiQL,
    {
      fetcher: createFetcher(),
      storage,
      plugins: [GraphiQLPluginExplorer.explorerPlugin()],
      defaultTabs: tabs.length > 0 ? tabs : undefined,
      defaultEditorToolsVisibility: 'variables',
    },
    logo(),
  );
  ReactDOM.createRoot(document.getElementById('graphiql')).render(page);
}

await main();
