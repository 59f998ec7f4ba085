/**
 * Sample variables for GraphiQL's tabs: whatever a reader opens can be run at once, on the first board. The worst that
 * trying does is to delete a card: no sample names a project to delete, for everything would go with it.
 */

const VARIABLE_DEFINITION = /\$(\w+)\s*:\s*([\w[\]!]+)/g;
const ID_OF = /\b(attempt|project)\(id:\s*\$(\w+)/;
const BY_HAND = 'put an id here';

/** What samples are made of: a board, its state as REST gives it, and one of its attempts from the dashboard. */
export function makeSource(boardId, state, overview) {
  const attempts = [...(overview?.activeAttempts ?? []), ...(overview?.recentAttemptActivity ?? [])];
  const attemptId = attempts.find(({ projectId }) => projectId === boardId)?.attemptId ?? BY_HAND;
  return { boardId, state, attemptId };
}

/** A value for each variable of the document that we can guess; the others are left to the reader. */
export function sampleVariables(query, source) {
  const samples = source === null ? {} : { ...samplesOf(source), ...samplesByName(query, source) };
  const variables = {};
  for (const [, name, type] of query.matchAll(VARIABLE_DEFINITION)) {
    const sample = samples[name] ?? samples[type.replaceAll(/[[\]!]/g, '')];
    if (sample !== undefined) variables[name] = type.startsWith('[') ? [sample] : sample;
  }
  return variables;
}

/** Ids by the name of the variable, or by what it is given to, because `id` alone may be of anything. */
function samplesByName(query, { boardId, attemptId }) {
  const [, field, variable] = query.match(ID_OF) ?? [];
  return {
    boardId,
    attemptId,
    node: BY_HAND,
    nodes: BY_HAND,
    tokenId: BY_HAND,
    projectId: query.includes('deleteProject(') ? BY_HAND : boardId,
    ...(variable ? { [variable]: field === 'attempt' ? attemptId : boardId } : {}),
  };
}

/** Samples by the name of an input type. What there is no sample for stays out of the JSON. */
function samplesOf({ boardId, state, attemptId }) {
  const columns = state?.columnOrder.map((id) => state.columns[id]) ?? [];
  // A card in Done cannot leave it, and one that waits for others cannot go to In Progress: the samples shall work.
  const home = columns.find(({ title, cardIds }) => title !== 'Done' && cardIds.length > 0);
  const target = columns.find((column) => column !== home && !['In Progress', 'Done'].includes(column.title));
  const cardId = home?.cardIds[0];
  return {
    CreateCardInput: { columnId: columns[0]?.id, title: 'Made in GraphiQL' },
    UpdateCardInput: { cardId, title: 'Renamed in GraphiQL' },
    MoveCardInput: { cardId, toColumnId: target?.id, toIndex: 0 },
    DeleteCardInput: { cardId },
    CreateProjectInput: { name: 'Made in GraphiQL', repositoryPath: '/srv/made-in-graphiql' },
    CreateAccessTokenInput: { name: 'Made in GraphiQL', boards: [boardId], can: ['READ'] },
    UpdateProjectInput: { name: 'Renamed in GraphiQL' },
    QueueAttemptInput: { cardId, agentKey: 'CODEX' },
    StopAttemptInput: { attemptId },
    ...eventSamples(boardId, cardId, attemptId),
    TimeRangeInput: { preset: 'LAST_7D' },
  };
}

/** Events that may be reported on the board, by the name of an input type. */
function eventSamples(boardId, cardId, attemptId) {
  const agent = { agent: 'GRAPHIQL', label: 'GraphiQL' };
  return {
    EventInput: { name: 'agent.registered', payload: agent },
    ProjectEventInput: { projectSettingsUpdated: { projectId: boardId, changes: { baseBranch: 'main' } } },
    BoardEventInput: { boardColumnsInitialized: { boardId, columnIds: [] } },
    CardEventInput: { cardUpdated: { boardId, cardId, changes: { title: 'A note of a change' } } },
    AttemptEventInput: { attemptLogAppended: { boardId, attemptId, level: 'INFO', message: 'Said in GraphiQL' } },
    GitEventInput: { gitStatusChanged: { projectId: boardId } },
    GithubEventInput: { githubIssuesImported: { projectId: boardId, importedCount: 1 } },
    AgentEventInput: { agentRegistered: { agentKey: 'GRAPHIQL', label: 'GraphiQL' } },
    WorkspaceEventInput: { worktreeRemoved: { projectId: boardId, path: '/srv/worktrees/graphiql' } },
  };
}
