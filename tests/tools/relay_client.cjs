/**
 * Relay's store on the artefacts of its compiler: makes a card, reads a list page by page into one connection, and appends
 * a line of a log that a subscription brings.
 */
const { createClient } = require('graphql-ws');
const relay = require('relay-runtime');
const WebSocket = require('ws');

const [url, boardId, columnId] = process.argv.slice(2);
const artefact = (name) => require(`${process.cwd()}/src/__generated__/${name}.graphql`);

async function post({ text }, variables) {
  const body = JSON.stringify({ query: text, variables });
  return (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).json();
}
const socket = createClient({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket });
const environment = new relay.Environment({
  network: relay.Network.create(post, ({ text }, variables) =>
    relay.Observable.create((sink) => socket.subscribe({ query: text, variables }, sink)),
  ),
  store: new relay.Store(new relay.RecordSource()),
});
const query = artefact('BoardQuery');
const fragment = artefact('Board_attempts');
const operation = relay.createOperationDescriptor(query, { boardId });

/** What the store has now of a fragment, whose owner is an object that it has. */
const part = (name, owner) => environment.lookup(relay.getSelector(artefact(name), owner)).data;
const shown = () => part('Board_attempts', environment.lookup(operation.fragment).data).attempts;

async function readAll() {
  environment.retain(operation);
  await relay.fetchQuery(environment, query, { boardId }).toPromise();
  const { paginationRequest, paginationMetadata } = relay.getPaginationMetadata(fragment, 'Board_attempts');
  const pages = [shown().edges.length];
  while (shown().pageInfo.hasNextPage) {
    const after = shown().pageInfo.endCursor;
    const variables = relay.getPaginationVariables('forward', 2, after, { boardId }, {}, paginationMetadata);
    await relay.fetchQuery(environment, paginationRequest, variables).toPromise();
    pages.push(shown().edges.length);
  }
  return pages;
}

/**
 * The first lines of each attempt, then all lines of the newest one, which is found again by its `id`, and all attempts
 * of its card, in the same way.
 */
async function readLogs() {
  const logs = shown().edges.map(({ node }) => part('Board_logs', node).logs.edges[0].node.message);
  const [{ node: newest }] = shown().edges;
  await relay.fetchQuery(environment, artefact('BoardLogsQuery'), { id: newest.id, count: 9 }).toPromise();
  const { card } = newest;
  await relay.fetchQuery(environment, artefact('BoardTriesQuery'), { id: card.id, count: 9 }).toPromise();
  const tries = part('Board_tries', card).attempts.edges.map(({ node }) => node.attemptId);
  return { logs, lines: part('Board_logs', newest).logs.edges.length, tries };
}

/** The lines of the newest attempt once a subscription has brought one more. */
async function appendLine() {
  const [{ node: newest }] = shown().edges;
  const attemptId = newest.id;
  const variables = { boardId, attemptId, connections: [relay.ConnectionHandler.getConnectionID(attemptId, 'Board_logs')] };
  await new Promise((resolve, reject) => {
    relay.requestSubscription(environment, {
      subscription: artefact('BoardAttemptSubscription'),
      variables,
      onNext: ({ attemptEvents: { __typename } }) => {
        if (__typename === 'AttemptLogAppended') resolve();
        if (__typename === 'Hello') post({ text: artefact('BoardLogMutation').params.text }, { boardId, attemptId });
      },
      onError: reject,
    });
  });
  await socket.dispose();
  return part('Board_logs', newest).logs.edges.map(({ node }) => node.message);
}

function createCard() {
  const variables = { boardId, input: { columnId, title: 'By Relay' } };
  const mutation = artefact('BoardCreateCardMutation');
  return new Promise((onCompleted, onError) => {
    relay.commitMutation(environment, { mutation, variables, onCompleted, onError });
  });
}

(async () => {
  const { createCard: made } = await createCard();
  const read = { pages: await readAll(), ...(await readLogs()) };
  console.log(JSON.stringify({ title: made.card.title, ...read, appended: await appendLine() }));
})();
