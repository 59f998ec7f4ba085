/**
 * Makes GraphiQL's tabs: one per document of graphql/operations/, with variables that work on the first board.
 * Also repairs tabs remembered from an earlier visit whose board is gone (a new database, a deleted board).
 */
import { sampleVariables } from './samples.js';

const TABS_KEY = 'graphiql:tabState';
const QUERY_KEY = 'graphiql:query';
const VARIABLES_KEY = 'graphiql:variables';
/** Operations without a tab: GraphiQL sends mutations by POST, and a new token is taken on a WebSocket only. */
const ON_SOCKETS_ONLY = new Set(['Authenticate.graphql']);

/** Tabs for `operations` (a list of `{name, query}`, named by files); `source` is what samples are made of, or null without a board. */
export function makeTabs(operations, source) {
  const shown = operations.filter(({ name }) => !ON_SOCKETS_ONLY.has(name));
  return shown.map(({ query }) => ({ query, variables: JSON.stringify(sampleVariables(query, source), null, 2) }));
}

/**
 * GraphiQL 4 shows the first default tab without its variables, for it reads the editors' first text from
 * these two keys; so on a first visit they are filled before it starts.
 */
export function seedFirstTab(storage, tabs) {
  if (tabs.length === 0 || storage.getItem(TABS_KEY) !== null) return;
  storage.setItem(QUERY_KEY, tabs[0].query);
  storage.setItem(VARIABLES_KEY, tabs[0].variables);
}

/** Give remembered tabs that name a board or project which is none of `boardIds` fresh samples from `source`. */
export function refreshStoredTabs(storage, boardIds, source) {
  if (source === null) return;
  const state = parseObject(storage.getItem(TABS_KEY));
  if (state === null || !Array.isArray(state.tabs)) return;
  const refreshed = (query, text) => withKnownBoard(query, text, boardIds, source);
  for (const tab of state.tabs) tab.variables = refreshed(tab.query, tab.variables);
  storage.setItem(TABS_KEY, JSON.stringify(state));
  const shown = refreshed(storage.getItem(QUERY_KEY), storage.getItem(VARIABLES_KEY));
  if (shown !== null) storage.setItem(VARIABLES_KEY, shown);
}

function withKnownBoard(query, text, boardIds, source) {
  const variables = parseObject(text);
  const named = variables?.boardId ?? variables?.projectId;
  if (typeof named !== 'string' || boardIds.includes(named)) return text;
  return JSON.stringify({ ...variables, ...sampleVariables(query ?? '', source) }, null, 2);
}

function parseObject(text) {
  try {
    const value = JSON.parse(text ?? 'null');
    return typeof value === 'object' && !Array.isArray(value) ? value : null;
  } catch {
    return null; // a half-typed variables pane is the reader's own business
  }
}
