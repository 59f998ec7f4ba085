/**
 * Apollo with the cache of docs/resuming.md, whose text the test puts in front of this one, or with its own. The answer to
 * a mutation is lost, RetryLink repeats it, and its answer comes behind that of a newer mutation. Prints the titles that
 * the cache shows: of the card that both change, and of one that only the first mutation changed.
 */
const [url, boardId, cardId, otherId] = process.argv.slice(1);
const document = gql`mutation ($boardId: ID!, $input: UpdateCardInput!) {
  updateCard(boardId: $boardId, input: $input) { ... on UpdateCardPayload { offset card { id title } } }
}`;
const EVENTS = gql`subscription ($boardId: ID!) { boardChanges(boardId: $boardId) {
  ... on State { offset state { id cards { id cardId title } } }
  ... on CardUpdated { offset card { id title } }
} }`;

/** Loses the answer to the first try of the title `lost`; its second try waits until `newer` has happened. */
let tries = 0;
let newerHappened;
const newer = new Promise((resolve) => (newerHappened = resolve));
async function losing(address, options) {
  const answer = () => fetch(address, options);
  if (!options.body.includes('"title":"lost"')) return answer();
  tries += 1;
  if (tries > 1) return newer.then(answer);
  await (await answer()).text();
  throw new TypeError('the connection broke');
}

const retry = new RetryLink({ delay: { initial: 1, max: 1 }, attempts: { max: 5 } });
const socket = createClient({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket });
const isLive = ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION;
const http = ApolloLink.from([retry, new HttpLink({ uri: url, fetch: losing })]);
const client = new ApolloClient({ cache, link: ApolloLink.split(isLive, new GraphQLWsLink(socket), http) });
const change = (input) => client.mutate({ mutation: document, variables: { boardId, input } });
const titleOf = (id) => client.readFragment({ id: `Card:${id}`, fragment: gql`fragment Titled on Card { title }` }).title;

const ids = {};
const updates = [];
let [started, caughtUp] = [null, null];
const loaded = new Promise((resolve) => (started = resolve));
const updated = new Promise((resolve) => (caughtUp = resolve));
client.subscribe({ query: EVENTS, variables: { boardId } }).subscribe(({ data: { boardChanges: event } }) => {
  for (const card of event.state?.cards ?? []) ids[card.cardId] = card.id;
  if (event.__typename === 'State') started();
  if (event.__typename === 'CardUpdated' && updates.push(event) === 3) caughtUp();
});
await loaded;
const key = (name) => ({ idempotencyKey: name });
const first = change({ cardId, title: 'lost', ...key('a') });
await change({ cardId: otherId, title: 'other', ...key('b') });
await change({ cardId, title: 'newer', ...key('c') });
await updated;
newerHappened();
const { data } = await first;
console.log(JSON.stringify({ tries, answered: data.updateCard.card.title, titles: [titleOf(ids[cardId]), titleOf(ids[otherId])] }));
client.stop();
await socket.dispose();
