/** Every English text of the pages `/`, `/dashboard` and `/inspector`; those of the form for a token are in common/. */

/** @param {number} count @param {string} one @param {string} many */
const counted = (count, one, many) => `${count.toLocaleString()} ${count === 1 ? one : many}`;

/** Refusals whose code needs other words than the server's. @type {Record<string, string>} */
const REFUSALS = {
  board_deleted: 'This board was deleted.',
  board_not_found: 'This board is not there any more.',
  closed: 'The page has left this board before the server answered.',
  token_expired: 'Your session has ended before the server answered.',
  token_revoked: 'Your session has ended before the server answered.',
};

export const TEXTS = {
  name: 'Boardcast',
  dismiss: 'Dismiss',
  close: 'Close',
  cancel: 'Cancel',
  save: 'Save',
  skip: 'Skip to the content',
  nav: { label: 'Pages', boards: 'Boards', dashboard: 'Dashboard', inspector: 'Inspector', graphiql: 'GraphiQL', docs: 'API' },
  theme: { system: 'Theme: as the system', light: 'Theme: light', dark: 'Theme: dark' },
  session: {
    needed: 'This server needs a token.',
    ended: 'Your session has ended. Sign in to go on.',
    left: 'You have signed out.',
    signedIn: 'Signed in as',
    signOut: 'Sign out',
  },
  connection: {
    idle: 'No board chosen',
    connecting: 'Connecting …',
    live: 'Live',
    reconnecting: 'Connection lost, reconnecting …',
    closed: 'Not connected',
    again: 'Connect again',
  },
  boards: {
    title: 'Boards',
    show: 'Show the boards',
    none: 'There is no board yet.',
    noneReadable: 'Your token may not read any board.',
    create: 'New board',
    name: 'Name',
    repositoryPath: 'Repository path',
    pathExample: '/path/to/repository',
    submit: 'Create board',
    rename: 'Rename',
    renameTitle: 'Rename the board',
    delete: 'Delete',
    /** @param {string} name */
    deleteTitle: (name) => `Delete “${name}”?`,
    deleteText: 'The board goes with its cards and everything of their attempts. Nobody can bring it back.',
    deleteSubmit: 'Delete the board',
    /** @param {string} name */
    deleted: (name) => `“${name}” is deleted.`,
    /** @param {number} count */
    active: (count) => counted(count, 'active attempt', 'active attempts'),
  },
  board: {
    choose: 'Choose a board',
    chooseText: 'The list of boards is at the side. A board shows what its people and agents do, while they do it.',
    first: 'Make the first board',
    firstText: 'A board has columns of cards. Agents work on the cards, and everybody sees it live.',
    unknown: 'Unknown board',
    gone: 'This board cannot be shown',
    /** @param {string} reason */
    goneText: (reason) => `The server says: ${reason.replaceAll('_', ' ')}.`,
    columns: 'Columns',
    search: 'Search cards',
    searchHint: 'Search cards  ( / )',
    type: 'Ticket type',
    anyType: 'Any type',
    status: 'Status of the newest attempt',
    anyStatus: 'Any attempt',
    noStatus: 'No attempt',
    clear: 'Clear',
    /** @param {number} shown @param {number} all */
    matches: (shown, all) => `${shown.toLocaleString()} of ${counted(all, 'card', 'cards')}`,
    /** @param {number} all */
    total: (all) => counted(all, 'card', 'cards'),
    activity: 'Activity',
    addresses: 'Addresses',
    shortcuts: 'Keyboard shortcuts',
  },
  column: {
    /** @param {string} title */
    newCard: (title) => `New card in ${title}`,
    placeholder: 'New card',
    add: 'Add',
    empty: 'No cards',
    noMatch: 'No card matches',
    /** @param {string} title @param {number} count */
    label: (title, count) => `${title}, ${counted(count, 'card', 'cards')}`,
  },
  card: {
    /** @param {string} names */
    waits: (names) => `waits for ${names}`,
    pullRequest: 'pull request',
    /** @param {number} number */
    issue: (number) => `issue #${number}`,
    /** @param {string} name */
    carried: (name) => `${name} is picked up. Move it with the arrow keys, drop it with Space, put it back with Escape.`,
    /** @param {string} name @param {string} column @param {number} place @param {number} count */
    at: (name, column, place, count) => `${name}: ${column}, place ${place} of ${count}.`,
    /** @param {string} name @param {string} column */
    dropped: (name, column) => `${name} is dropped in ${column}.`,
    /** @param {string} name */
    putBack: (name) => `${name} is back at its place.`,
  },
  panel: {
    card: 'Card',
    gone: 'This card is gone',
    goneText: 'Somebody has deleted it, or it was never on this board.',
    edit: 'Edit',
    title: 'Title',
    description: 'Description, in Markdown',
    noDescription: 'No description.',
    noType: 'No type',
    column: 'Column',
    enhanced: 'enhanced',
    dependencies: 'Depends on',
    addDependency: 'Add a card',
    /** @param {string} name */
    removeDependency: (name) => `Do not depend on ${name}`,
    delete: 'Delete the card',
    deleteText: 'The card goes with everything of its attempts. Nobody can bring it back.',
  },
  attempt: {
    title: 'Newest attempt',
    older: 'An older attempt',
    all: 'All attempts',
    /** @param {number} number */
    number: (number) => `Attempt ${number.toLocaleString()}`,
    none: 'Nobody has tried this card yet.',
    stop: 'Stop',
    queue: 'Queue an attempt',
    queueAgain: 'Queue again',
    agent: 'Agent',
    branch: 'Branch',
    pullRequest: 'Pull request',
    /** @param {any} pr */
    pullRequestText: (pr) => `#${pr.number} ${pr.draft ? 'draft' : pr.state}${pr.title ? `: ${pr.title}` : ''}`,
    started: 'Started',
    took: 'Took',
    session: 'Session',
    /** @param {number} completed @param {number} total */
    todos: (completed, total) => `${completed} of ${counted(total, 'todo', 'todos')} done`,
    records: 'What the attempt has left',
    conversation: 'Conversation',
    log: 'Log',
    noLog: 'The log is empty.',
    noConversation: 'The conversation is empty.',
    cut: 'Only a part of the entries is shown.',
  },
  conversation: {
    thinking: 'thinking',
    automation: 'automation',
    error: 'error',
    output: 'Output',
    /** @param {number} code */
    exit: (code) => `exit code ${code}`,
  },
  dashboard: {
    title: 'Dashboard',
    forbidden: 'Your token may not see the dashboard',
    forbiddenText: 'It needs the grant “dashboard” on all boards.',
    range: 'Time range',
    ranges: { last_24h: '24 hours', last_7d: '7 days', last_30d: '30 days', last_90d: '90 days', all_time: 'All time' },
    active: 'Active attempts',
    open: 'Open cards',
    attempts: 'Attempts begun',
    success: 'Success rate',
    review: 'Waiting for review',
    projects: 'Active projects',
    /** @param {number} all */
    ofProjects: (all) => `of ${all.toLocaleString()}`,
    live: 'Since this page was opened',
    liveText: 'Active attempts and open cards, live',
    ended: 'Attempts that ended',
    /** @param {number} count */
    endedText: (count) => `The newest ${count.toLocaleString()} in the range, by time`,
    succeeded: 'succeeded',
    notSucceeded: 'failed or stopped',
    working: 'Working now',
    nobody: 'No agent works at the moment.',
    inbox: 'Inbox',
    inboxEmpty: 'Nothing waits for you.',
    kinds: { review: 'Review', failed: 'Failed', stuck: 'Stuck' },
    health: 'Projects',
    atRisk: 'at risk',
    /** @param {number} shown @param {number} all */
    healthText: (shown, all) => `The newest ${shown.toLocaleString()} of ${all.toLocaleString()}`,
    columns: { backlog: 'Backlog', inProgress: 'In Progress', review: 'Review', done: 'Done' },
    /** @param {number} failed @param {number} all */
    failures: (failed, all) => `${failed.toLocaleString()} of ${counted(all, 'attempt', 'attempts')} failed`,
    agents: 'Agents',
    agent: 'Agent',
    agentAttempts: 'Attempts',
    lastActive: 'Last active',
    never: 'never',
    recent: 'Ended lately',
    none: 'No attempt has ended in this range.',
  },
  inspector: {
    title: 'Inspector',
    forbidden: 'Your token may not see the inspector',
    forbiddenText: 'It needs the grant “admin” on all boards.',
    nodes: 'Servers',
    nodeHeads: ['Server', 'Started', 'Streams', 'Events a second', 'Boards behind', 'Repairs', 'State'],
    onlyNode: 'the only one',
    silent: 'silent',
    leader: 'prunes the log',
    streams: 'Open streams',
    /** @param {number} shown @param {number} all */
    streamsText: (shown, all) => `${shown.toLocaleString()} of ${all.toLocaleString()} of this process; those that are furthest behind come first`,
    heads: ['Exit', 'Stream', 'Behind', 'Queued', 'Last gap', 'Cursor'],
    log: 'Event log',
    board: 'Board of the log',
    filter: 'Filter by name or content',
    /** @param {number} shown @param {number} all */
    shown: (shown, all) => `${shown.toLocaleString()} of the newest ${counted(all, 'event', 'events')}`,
    travel: 'Show the board after this event',
    past: {
      title: 'Time travel',
      text: 'The board as it was after any event of its log.',
      open: 'Look back',
      newest: 'Newest event',
      earlier: 'One event earlier',
      later: 'One event later',
      slider: 'Event of the log',
      /** @param {number} offset @param {number} last */
      at: (offset, last) => `After event ${offset.toLocaleString()} of ${last.toLocaleString()}`,
      /** @param {number} first */
      pruned: (first) => `The log begins after event ${first.toLocaleString()}. Older events were pruned.`,
      noBoard: 'The board did not exist at that time.',
      /** @param {number} count */
      more: (count) => `and ${counted(count, 'more card', 'more cards')}`,
    },
    publish: 'Publish an event',
    name: 'Name',
    payload: 'Payload, in JSON',
    submit: 'Publish',
    /** @param {string} cursor */
    accepted: (cursor) => `The event is stored at ${cursor}.`,
  },
  activity: { title: 'Activity', none: 'Nothing has happened since this page was opened.' },
  exits: {
    title: 'Addresses',
    text: 'All of them carry the same events in the same order, with the same cursors.',
    exit: 'Exit',
    address: 'Address',
    protocol: 'Protocol',
    inBrowser: 'in a browser',
    names: {
      'ws-board': 'Board, raw WebSocket',
      'sse-board': 'Board, raw SSE',
      'rest-board': 'Board, REST',
      'ws-dashboard': 'Dashboard, raw WebSocket',
      'sse-dashboard': 'Dashboard, raw SSE',
      graphql: 'GraphQL',
      'graphql-ws': 'GraphQL subscriptions',
      graphiql: 'GraphiQL',
      ingest: 'Ingest of domain events',
    },
  },
  shortcuts: [
    ['/', 'Search cards'],
    ['n', 'New card in the column of the focus'],
    ['← ↑ ↓ →', 'Go from card to card'],
    ['Enter', 'Open the card'],
    ['Space', 'Pick the card up; drop it'],
    ['← ↑ ↓ →', 'Move the card that is picked up'],
    ['Escape', 'Put the card back; close what is open'],
    ['?', 'Show this list'],
  ],
  unreachable: { title: 'The server cannot be reached', again: 'Try again' },
  /** @param {string} code @param {string} message */
  refused: (code, message) => REFUSALS[code] ?? message,
};

/** @type {Record<string, (item: any) => string>} */
const CONVERSATION_TEXTS = {
  message: (item) => `${item.role}: ${item.text}`,
  thinking: (item) => `thinking: ${item.title ? `${item.title} · ` : ''}${item.text}`,
  tool: ({ tool }) => `tool ${tool.name} ${tool.status}${tool.command ? `: ${tool.command}` : ''}`,
  error: (item) => `error: ${item.text}`,
  automation: (item) => `${item.stage} ${item.status}: ${item.command}`,
};

/** @type {Record<string, (payload: any) => string>} */
const EVENT_TEXTS = {
  attempt_started: () => 'attempt started',
  attempt_status: ({ status }) => `attempt ${status}`,
  attempt_log: ({ level, message }) => (level === 'info' ? message : `${level}: ${message}`),
  attempt_session: ({ sessionId }) => `session ${sessionId}`,
  attempt_todos: ({ todos }) => `todos: ${todos.completed} of ${todos.total} done`,
  conversation_item: ({ item }) => CONVERSATION_TEXTS[item.type]?.(item) ?? item.type,
  git_status: () => 'working tree changed',
  git_commit: ({ shortSha, subject }) => `committed ${shortSha} ${subject}`.replaceAll('  ', ' '),
  git_push: ({ remote, branch }) => `pushed to ${remote}/${branch}`,
  attempt_pr: ({ pr }) => `pull request #${pr.number} ${pr.draft ? 'draft' : pr.state}${pr.title ? `: ${pr.title}` : ''}`,
  agent_profile: ({ kind, agent, label, profileId }) => `agent profile ${label ?? profileId} (${agent}) ${kind}`,
  agent_registered: ({ agent, label }) => `agent ${label ?? agent} registered`,
  access: ({ expiresAt }) => `your token expires at ${expiresAt}`,
  gap: ({ reason }) => `some events could not be delivered (${reason}); the board is up to date again`,
  goodbye: ({ reason }) => `the server ended the stream (${reason})`,
};

/** The line for an event, null for an event that is not worth one (`hello`, `state`, `heartbeat`). @param {string} type @param {any} payload */
export function textOfEvent(type, payload) {
  return EVENT_TEXTS[type]?.(payload) ?? null;
}
