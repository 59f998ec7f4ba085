/**
 * The contents of GraphiQL's upper corner: the way to the page, the choice of the subscriptions' transport, their state, and
 * who is signed in.
 */
import { describeGrants } from '../common/session.js';
import { TRANSPORTS } from './subscriptions.js';

const { React } = globalThis;
const h = React.createElement;

/** GraphiQL itself shows nothing while a subscription connects or reconnects. */
const STATES = {
  idle: () => 'no subscription',
  connecting: (transport) => `connecting by ${transport} …`,
  connected: (transport) => `connected by ${transport}`,
  lost: (transport) => `${transport} lost, trying again …`,
  failed: (transport) => `${transport} subscription failed`,
};

/** A component; `subscriptions` is a `Subscriptions`, `signedIn` a `SignedIn`. */
export function Logo({ subscriptions, signedIn }) {
  const { chosen, used, state } = React.useSyncExternalStore(subscriptions.listen, () => subscriptions.snapshot);
  // The tab remembered from the last visit may be one of those that the line of tabs has no room for.
  React.useEffect(() => document.querySelector('.graphiql-tab-active')?.scrollIntoView({ inline: 'center' }), []);
  return h(
    React.Fragment,
    null,
    h('a', { className: 'logo-link', href: '/' }, 'Boardcast'),
    h(TransportChoice, { chosen, onChoose: (transport) => subscriptions.choose(transport) }),
    h('span', { id: 'connection', role: 'status', 'data-state': state }, STATES[state](used)),
    h(SessionLine, { signedIn }),
  );
}

/** Empty on a server that needs no token. */
function SessionLine({ signedIn }) {
  const session = React.useSyncExternalStore(signedIn.listen, () => signedIn.session);
  if (!session?.subject) return null;
  return h(
    'span',
    { id: 'session' },
    'Signed in as',
    h('b', { id: 'subject' }, session.subject),
    h('span', { id: 'grants' }, describeGrants(session)),
    h('button', { id: 'sign-out', type: 'button', onClick: () => signedIn.leave() }, 'Sign out'),
  );
}

function TransportChoice({ chosen, onChoose }) {
  const options = Object.entries(TRANSPORTS).map(([value, { title }]) => h('option', { key: value, value, title }, value));
  return h(
    'label',
    { className: 'transport', title: `Takes effect with the next run. Now: ${TRANSPORTS[chosen].title}` },
    'Subscribe by',
    h('select', { id: 'transport', value: chosen, onChange: (event) => onChoose(event.target.value) }, options),
  );
}
