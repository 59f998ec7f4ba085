/** Says in one line of plain text what an event of the stream means. */

const CONVERSATION_TEXTS = {
  message: (item) => `${item.role}: ${item.text}`,
  thinking: (item) => `thinking: ${item.title ? `${item.title} · ` : ''}${item.text}`,
  tool: ({ tool }) => `tool ${tool.name} ${tool.status}${tool.command ? `: ${tool.command}` : ''}`,
  error: (item) => `error: ${item.text}`,
  automation: (item) => `${item.stage} ${item.status}: ${item.command}`,
};

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

/** The line for an event, or null for an event that is not worth one (`hello`, `state`, `heartbeat`). */
export function activityText(type, payload) {
  return EVENT_TEXTS[type]?.(payload) ?? null;
}
