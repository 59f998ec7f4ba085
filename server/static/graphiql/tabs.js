/**
 * Makes GraphiQL's tabs: one per document of graphql/operations/, with variables that work on the first board.
 * Also repairs tabs remembered from an earlier visit whose board is gone (a new database, a deleted board).
 */
import { mayRun } from './needs.js';
import { sampleVariables } from './samples.js';

const TABS_KEY = 'graphiql:tabState';
const QUERY_KEY = 'graphiql:query';
const VARIABLES_KEY = 'graphiql:variables';
/** Names of the operations that had a tab when the page was opened last. */
const SHOWN_KEY = 'shownOperations';
/** Operations without a tab: GraphiQL sends mutations by POST, and a new token is taken on a WebSocket only. */
const ON_SOCKETS_ONLY = new Set(['Authenticate.graphql']);

/** The operations (a list of `{name, query}`, named by files) that get a tab, for they are not refused to the session. */
export const shownOperations = (operations, session) =>
  operations.filter((operation) => !ON_SOCKETS_ONLY.has(operation.name) && mayRun(session, operation));

/** Tabs for `operations`; `source` is what samples are made of, or null without a board. */
export const makeTabs = (operations, source) => operations.map((operation) => makeTab(operation, source));

const makeTab = ({ query }, source) => ({ query, variables: JSON.stringify(sampleVariables(query, source), null, 2) });

/**
 * Give the remembered tabs those of `operations` that are `shown` now and were not before, and take away those that are
 * not: another reader may have opened the page, or the grants may have changed. A document that was edited stays.
 */
export function syncStoredTabs(storage, operations, shown, source) {
  const before = parseList(storage.getItem(SHOWN_KEY)) ?? operations.map(({ name }) => name);
  storage.setItem(SHOWN_KEY, JSON.stringify(shown.map(({ name }) => name)));
  const state = parseObject(storage.getItem(TABS_KEY));
  if (state === null || !Array.isArray(state.tabs)) return;
  const refused = new Set(operations.filter((operation) => !shown.includes(operation)).map(({ query }) => query));
  const added = shown.filter(({ name }) => !before.includes(name)).map((operation) => storedTab(operation, source));
  const left = state.tabs.filter(({ query }) => !refused.has(query));
  if (left.length === state.tabs.length && added.length === 0) return;
  const tabs = [...left, ...added];
  if (tabs.length === 0) {
    storage.removeItem(TABS_KEY);
    return;
  }
  // GraphiQL opens the tab with this text, and makes one if there is none.
  if (refused.has(storage.getItem(QUERY_KEY))) {
    storage.setItem(QUERY_KEY, tabs[0].query ?? '');
    storage.setItem(VARIABLES_KEY, tabs[0].variables ?? '');
  }
  storage.setItem(TABS_KEY, JSON.stringify({ tabs, activeTabIndex: 0 }));
}

/** A tab in the form in which GraphiQL remembers it. */
const storedTab = (operation, source) => ({
  ...makeTab(operation, source),
  id: String(Math.random()),
  title: operation.name.replace('.graphql', ''),
  headers: null,
  operationName: null,
  response: null,
});

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

const parseList = (text) => {
  const value = parse(text);
  return Array.isArray(value) ? value : null;
};

function parseObject(text) {
  const value = parse(text);
  return typeof value === 'object' && !Array.isArray(value) ? value : null;
}

function parse(text) {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return null; // a half-typed variables pane is the reader's own business
  }
}
