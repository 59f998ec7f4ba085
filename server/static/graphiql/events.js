/** The newest events of a subscription, below the result, which shows only the last one. */
const { React } = globalThis;
const h = React.createElement;
/** Events that are kept; older ones go. */
export const EVENTS_KEPT = 100;
const SUMMARY_LENGTH = 200;

/** A component; `subscriptions` is a `Subscriptions`. Nothing is shown before the first event. */
export function Events({ subscriptions }) {
  const { events, count } = React.useSyncExternalStore(subscriptions.listen, () => subscriptions.received);
  if (count === 0) return null;
  return h(
    'section',
    { id: 'events', 'aria-label': 'Events of the subscription' },
    h('p', null, `${count.toLocaleString()} ${count === 1 ? 'event' : 'events'}, the newest first; the last ${EVENTS_KEPT} are kept `,
      h('button', { type: 'button', onClick: () => subscriptions.forget() }, 'Clear')),
    h('ol', { tabIndex: 0, 'aria-label': 'Events' }, events.toReversed().map((event) => h(Row, { key: event.number, event }))),
  );
}

/** An event does not change, so a row is drawn once, and its text is made when it is opened. */
const Row = React.memo(({ event }) => {
  const [isOpen, setOpen] = React.useState(false);
  return h(
    'li',
    null,
    h(
      'details',
      { onToggle: (toggle) => setOpen(toggle.currentTarget.open) },
      h('summary', null, `${event.number} `, h('time', { dateTime: event.at.toISOString() }, event.at.toLocaleTimeString()), ' ', h('code', null, summaryOf(event.result))),
      isOpen && h('pre', { tabIndex: 0 }, JSON.stringify(event.result, null, 2)),
    ),
  );
});

const summaryOf = ({ data, errors }) => JSON.stringify(errors ?? data ?? null).slice(0, SUMMARY_LENGTH);
