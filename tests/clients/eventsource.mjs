/** npm eventsource: opens the given stream and reports every event, every opening and every loss of the connection. */
import { EventSource } from 'eventsource';
import { obey, settings, report } from './lines.mjs';

const source = new EventSource(settings.streamUrl);
for (const type of settings.types) {
  source.addEventListener(type, (event) => {
    report('event', { type, data: JSON.parse(event.data), id: event.lastEventId });
  });
}
source.onopen = () => report('open');
source.onerror = (event) => report('lost', { code: event.code ?? null, readyState: source.readyState });

await obey({});
source.close();
