/** What stands in GraphiQL's upper corner: the way to the page, the choice of the subscriptions' transport, their state. */
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

/** A component; `subscriptions` is a `Subscriptions`. */
export function Logo({ subscriptions }) {
  const { chosen, used, state } = React.useSyncExternalStore(subscriptions.listen, () => subscriptions.snapshot);
  // The tab remembered from the last visit may be one of those that the line of tabs has no room for.
  React.useEffect(() => document.querySelector('.graphiql-tab-active')?.scrollIntoView({ inline: 'center' }), []);
  return h(
    React.Fragment,
    null,
    h('a', { className: 'logo-link', href: '/' }, 'Boardcast'),
    h(TransportChoice, { chosen, onChoose: (transport) => subscriptions.choose(transport) }),
    h('span', { id: 'connection', role: 'status', 'data-state': state }, STATES[state](used)),
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
