/**
 * Makes GraphiQL's tabs: one per document of graphql/operations/, with variables that work on the first board.
 * Also repairs tabs remembered from an earlier visit whose board is gone (a new database, a deleted board).
 */

const TABS_KEY = 'graphiql:tabState';
const QUERY_KEY = 'graphiql:query';
const VARIABLES_KEY = 'graphiql:variables';

const VARIABLE_DEFINITION = /\$(\w+)\s*:\s*([\w[\]!]+)/g;

/** Tabs for `operations` (a list of `{name, query}`); `board` is `{id, state}` or null when there is none. */
export function makeTabs(operations, board) {
  return operations.map(({ query }) => ({ query, variables: JSON.stringify(sampleVariables(query, board), null, 2) }));
}

/** A value for each variable of the document that we can guess; the others are left to the reader. */
function sampleVariables(query, board) {
  const samples = samplesOf(board);
  const variables = {};
  for (const [, name, type] of query.matchAll(VARIABLE_DEFINITION)) {
    const sample = samples[name] ?? samples[type.replaceAll(/[[\]!]/g, '')];
    if (sample !== undefined) variables[name] = sample;
  }
  return variables;
}

/** Samples by the name of a variable, then by the name of an input type. */
function samplesOf(board) {
  if (board === null) return {};
  const columnId = board.state?.columnOrder[0];
  const cardId = board.state?.columnOrder.flatMap((id) => board.state.columns[id].cardIds)[0];
  const title = 'Made in GraphiQL';
  return {
    boardId: board.id,
    columnId,
    toColumnId: columnId,
    cardId,
    title,
    toIndex: 0,
    CreateCardInput: { columnId, title },
    UpdateCardInput: { title },
    MoveCardInput: { toColumnId: columnId, toIndex: 0 },
  };
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

/** Give remembered tabs that name an unknown board the first of `boardIds` instead. */
export function refreshStoredTabs(storage, boardIds) {
  if (boardIds.length === 0) return;
  const state = parseObject(storage.getItem(TABS_KEY));
  if (state === null || !Array.isArray(state.tabs)) return;
  for (const tab of state.tabs) tab.variables = withKnownBoard(tab.variables, boardIds);
  storage.setItem(TABS_KEY, JSON.stringify(state));
  const shown = withKnownBoard(storage.getItem(VARIABLES_KEY), boardIds);
  if (shown !== null) storage.setItem(VARIABLES_KEY, shown);
}

function withKnownBoard(text, boardIds) {
  const variables = parseObject(text);
  if (typeof variables?.boardId !== 'string' || boardIds.includes(variables.boardId)) return text;
  return JSON.stringify({ ...variables, boardId: boardIds[0] }, null, 2);
}

function parseObject(text) {
  try {
    const value = JSON.parse(text ?? 'null');
    return typeof value === 'object' && !Array.isArray(value) ? value : null;
  } catch {
    return null; // a half-typed variables pane is the reader's own business
  }
}
