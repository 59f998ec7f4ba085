/** npm eventsource: opens the stream it is given and tells every event, every opening and every loss of the connection. */
import { EventSource } from 'eventsource';
import { obey, settings, tell } from './lines.mjs';

const source = new EventSource(settings.streamUrl);
for (const type of settings.types) {
  source.addEventListener(type, (event) => {
    tell('event', { type, data: JSON.parse(event.data), id: event.lastEventId });
  });
}
source.onopen = () => tell('open');
source.onerror = (event) => tell('lost', { code: event.code ?? null, readyState: source.readyState });

await obey({});
source.close();
