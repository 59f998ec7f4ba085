/** The page at `/inspector`, for administrators: the open streams, the event log of a board, and a form that publishes an event. */
import { boards } from './boards.js';
import { EventLog } from './event_log.js';
import { NodesTable } from './nodes_table.js';
import { PastModel } from './past_model.js';
import { PastView } from './past_view.js';
import { PublishForm } from './publish_form.js';
import { html, useEffect, useMemo, useSignal } from './preact.js';
import { StreamsTable } from './streams_table.js';
import { TEXTS } from './texts.js';
import { clock } from './time.js';
import { may } from './visitor.js';

const { inspector: WORDS } = TEXTS;
const SHOWN = 200;

export function InspectorPage() {
  useEffect(() => {
    document.title = `${WORDS.title} · ${TEXTS.name}`;
  }, []);
  const chosen = useSignal(/** @type {string | null} */ (null));
  const boardId = chosen.value ?? boards.value?.[0]?.id ?? null;
  const isAllowed = may('admin', null);
  const inspected = useMemo(() => (isAllowed && boardId !== null ? { log: new EventLog(boardId), past: new PastModel(boardId) } : null), [isAllowed, boardId]);
  useEffect(() => () => inspected?.log.close(), [inspected]);
  if (!isAllowed) return html`<main id="content" class="blank" tabindex="-1"><h2>${WORDS.forbidden}</h2><p>${WORDS.forbiddenText}</p></main>`;
  return html`
    <main id="content" class="inspector" tabindex="-1">
      <div class="dashboard-head"><h2>${WORDS.title}</h2></div>
      <${NodesTable} />
      <${StreamsTable} />
      <section class="tile" aria-labelledby="log-heading">
        <div class="tile-head">
          <h3 id="log-heading">${WORDS.log}</h3>
          <select id="log-board" aria-label=${WORDS.board} value=${boardId} onChange=${(/** @type {any} */ event) => (chosen.value = event.target.value)}>
            ${boards.value?.map(({ id, name }) => html`<option key=${id} value=${id}>${name}</option>`)}
          </select>
        </div>
        ${inspected === null ? html`<p class="quiet">${TEXTS.boards.none}</p>` : html`<${Log} key=${boardId} log=${inspected.log} past=${inspected.past} />`}
      </section>
      ${inspected !== null && html`<${PastView} key=${boardId} model=${inspected.past} newest=${inspected.log.events.value.at(-1)?.offset ?? 0} />`}
      ${boardId !== null && may('publish', boardId) && html`<${PublishForm} key=${boardId} boardId=${boardId} />`}
    </main>`;
}

/** @param {{log: EventLog, past: PastModel}} props */
function Log({ log, past }) {
  const query = useSignal('');
  const wanted = query.value.trim().toLowerCase();
  const found = wanted === '' ? log.events.value : log.events.value.filter((event) => `${event.name} ${JSON.stringify(event.payload)}`.toLowerCase().includes(wanted));
  const shown = found.slice(-SHOWN).reverse();
  return html`
    <div class="log-filter">
      <input type="search" id="log-filter" aria-label=${WORDS.filter} placeholder=${WORDS.filter} maxlength="200" autocomplete="off" onInput=${(/** @type {any} */ event) => (query.value = event.target.value)} />
      <span class="quiet" aria-live="polite">${WORDS.shown(shown.length, log.events.value.length)}</span>
    </div>
    ${log.isLoading.value && html`<div class="skeletons" aria-hidden="true"><i></i></div>`}
    <ol id="log-events" class="log-events" tabindex="0" aria-labelledby="log-heading">${shown.map((event) => html`<${Entry} key=${event.cursor} event=${event} past=${past} />`)}</ol>`;
}

/** @param {{event: import('./event_log.js').LoggedEvent, past: PastModel}} props */
function Entry({ event, past }) {
  const isOpen = useSignal(false);
  return html`
    <li data-name=${event.name}>
      <details onToggle=${(/** @type {any} */ toggle) => (isOpen.value = toggle.target.open)}>
        <summary><time dateTime=${event.at}>${clock(event.at)}</time> <b>${event.name}</b> <code class="quiet">${summaryOf(event.payload)}</code></summary>
        ${isOpen.value && html`<pre tabindex="0">${event.cursor}${'\n'}${JSON.stringify(event.payload, null, 2)}</pre>
          <button type="button" class="quiet-button" data-action="travel" onClick=${() => past.show(event.offset)}>${WORDS.travel}</button>`}
      </details>
    </li>`;
}

/** @param {any} payload */
const summaryOf = (payload) => JSON.stringify(payload).slice(0, 160);
