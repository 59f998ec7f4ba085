/**
 * Makes GraphiQL's tabs: one per document of graphql/operations/, with variables that work on the first board.
 * Also repairs tabs remembered from an earlier visit whose board is gone (a new database, a deleted board).
 */

const TABS_KEY = 'graphiql:tabState';
const QUERY_KEY = 'graphiql:query';
const VARIABLES_KEY = 'graphiql:variables';

/** The attempt that one tab begins and another stops. */
const ATTEMPT_ID = 'att-graphiql';

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

/** Samples by the name of a variable, then by the name of an input type. What there is no sample for stays out of the JSON. */
function samplesOf(board) {
  const columns = board?.state?.columnOrder.map((id) => board.state.columns[id]) ?? [];
  // A card in Done cannot leave it, and one that waits for others cannot go to In Progress: the samples shall work.
  const home = columns.find(({ title, cardIds }) => title !== 'Done' && cardIds.length > 0);
  const target = columns.find((column) => column !== home && !['In Progress', 'Done'].includes(column.title));
  const cardId = home?.cardIds[0];
  return {
    boardId: board?.id,
    projectId: board?.id,
    projectToDelete: 'id-of-a-project', // nobody shall lose a board by trying a tab
    CreateCardInput: { columnId: columns[0]?.id, title: 'Made in GraphiQL' },
    UpdateCardInput: { cardId, title: 'Renamed in GraphiQL' },
    MoveCardInput: { cardId, toColumnId: target?.id, toIndex: 0 },
    DeleteCardInput: { cardId },
    CreateProjectInput: { name: 'Made in GraphiQL', repositoryPath: '/srv/made-in-graphiql' },
    UpdateProjectInput: { name: 'Renamed in GraphiQL' },
    QueueAttemptInput: { cardId, agent: 'CODEX' },
    StopAttemptInput: { attemptId: ATTEMPT_ID },
    ...eventSamples(board?.id, cardId),
    TimeRangeInput: { preset: 'LAST_7D' },
  };
}

/** Events that may be reported on the board, by the name of a variable or of an input type. */
function eventSamples(boardId, cardId) {
  const agent = { agent: 'GRAPHIQL', label: 'GraphiQL' };
  return {
    events: [{ name: 'agent.registered', payload: agent }],
    ProjectEventInput: { projectSettingsUpdated: { projectId: boardId, changes: { baseBranch: 'main' } } },
    BoardEventInput: { boardColumnsInitialized: { boardId, columnIds: [] } },
    CardEventInput: { cardUpdated: { boardId, cardId, changes: { title: 'A note of a change' } } },
    AttemptEventInput: { attemptStarted: { boardId, cardId, attemptId: ATTEMPT_ID, agent: 'GRAPHIQL' } },
    GitEventInput: { gitStatusChanged: { projectId: boardId } },
    GithubEventInput: { githubIssuesImported: { projectId: boardId, importedCount: 1 } },
    AgentEventInput: { agentRegistered: agent },
    WorkspaceEventInput: { worktreeRemoved: { projectId: boardId, path: '/srv/worktrees/graphiql' } },
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

/** Give remembered tabs that name a board which is none of `boardIds` fresh samples of `board`, the first of them. */
export function refreshStoredTabs(storage, boardIds, board) {
  if (board === null) return;
  const state = parseObject(storage.getItem(TABS_KEY));
  if (state === null || !Array.isArray(state.tabs)) return;
  const refreshed = (query, text) => withKnownBoard(query, text, boardIds, board);
  for (const tab of state.tabs) tab.variables = refreshed(tab.query, tab.variables);
  storage.setItem(TABS_KEY, JSON.stringify(state));
  const shown = refreshed(storage.getItem(QUERY_KEY), storage.getItem(VARIABLES_KEY));
  if (shown !== null) storage.setItem(VARIABLES_KEY, shown);
}

function withKnownBoard(query, text, boardIds, board) {
  const variables = parseObject(text);
  if (typeof variables?.boardId !== 'string' || boardIds.includes(variables.boardId)) return text;
  return JSON.stringify({ ...variables, ...sampleVariables(query ?? '', board), boardId: board.id }, null, 2);
}

function parseObject(text) {
  try {
    const value = JSON.parse(text ?? 'null');
    return typeof value === 'object' && !Array.isArray(value) ? value : null;
  } catch {
    return null; // a half-typed variables pane is the reader's own business
  }
}
