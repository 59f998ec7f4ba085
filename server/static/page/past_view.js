/** Time travel: the board as it was after any event of its log, by slider and step by step. */
import { html } from './preact.js';
import { TEXTS } from './texts.js';
import { clock } from './time.js';

const { past: WORDS } = TEXTS.inspector;
/** Cards that are drawn of a column. */
const SHOWN = 100;

/** @typedef {import('./past_model.js').PastBoard} PastBoard */

/** @param {{model: import('./past_model.js').PastModel, newest: number}} props `newest` is the offset of the newest event that the page knows */
export function PastView({ model, newest }) {
  const past = model.past.value;
  return html`
    <section class="tile" id="past" aria-labelledby="past-heading">
      <div class="tile-head">
        <h3 id="past-heading">${WORDS.title}</h3>
        <button type="button" data-action="newest" onClick=${() => model.show(0)}>${past === null ? WORDS.open : WORDS.newest}</button>
      </div>
      ${past === null ? html`<p class="quiet">${WORDS.text}</p>` : html`<${Chosen} past=${past} last=${Math.max(past.last, newest)} model=${model} />`}
    </section>`;
}

/** @param {{past: PastBoard, last: number, model: import('./past_model.js').PastModel}} props */
function Chosen({ past, last, model }) {
  const { offset, first, event, state } = past;
  const text = WORDS.at(offset, last);
  return html`
    <div class="travel">
      <button type="button" data-action="earlier" aria-label=${WORDS.earlier} disabled=${offset <= first} onClick=${() => model.show(offset - 1)}>←</button>
      <input type="range" id="past-offset" aria-label=${WORDS.slider} aria-valuetext=${text} min=${first} max=${last} value=${model.wanted.value || offset}
        onInput=${(/** @type {any} */ input) => model.show(Number(input.target.value))} />
      <button type="button" data-action="later" aria-label=${WORDS.later} disabled=${offset >= last} onClick=${() => model.show(offset + 1)}>→</button>
    </div>
    <p id="past-event" aria-live="polite">${text} ${event !== null && html`<b>${event.name}</b> <time class="quiet" dateTime=${event.at} title=${event.at}>${clock(event.at)}</time>`}</p>
    ${first > 1 && html`<p class="quiet" id="past-pruned">${WORDS.pruned(first)}</p>`}
    ${state === null ? html`<p class="quiet">${WORDS.noBoard}</p>` : html`<${Columns} state=${state} />`}`;
}

/** @param {{state: import('../boardcast.js').BoardState}} props */
function Columns({ state }) {
  return html`
    <div class="scroll past-columns" tabindex="0" role="group" aria-labelledby="past-heading">
      ${state.columnOrder.map((id) => html`<${Column} key=${id} column=${state.columns[id]} cards=${state.cards} />`)}
    </div>`;
}

/** @param {{column: import('../boardcast.js').Column, cards: Record<string, import('../boardcast.js').Card>}} props */
function Column({ column, cards }) {
  const { title, cardIds } = column;
  return html`
    <div class="past-column">
      <h4>${title} <span class="count">${cardIds.length}</span></h4>
      <ul>${cardIds.slice(0, SHOWN).map((id) => html`<li key=${id} data-past-card=${id}>${cards[id]?.title}</li>`)}</ul>
      ${cardIds.length > SHOWN && html`<p class="quiet">${WORDS.more(cardIds.length - SHOWN)}</p>`}
    </div>`;
}
