/** The cards on which a card depends. */
import { html, useSignal } from './preact.js';
import { labelOf } from './moves.js';
import { setDependencies } from './rest.js';
import { addressOfCard } from './route.js';
import { TEXTS } from './texts.js';
import { attempt } from './visitor.js';

/** More cards than this are not offered: their titles alone would be a page. */
const MAX_OFFERED = 500;

/** @param {{card: import('../boardcast.js').Card, model: import('./board_model.js').BoardModel, mayWrite: boolean}} props */
export function Dependencies({ card, model, mayWrite }) {
  const isBusy = useSignal(false);
  const state = model.state.value;
  const wanted = card.dependsOn ?? [];
  if (state === null || (wanted.length === 0 && !mayWrite)) return null;
  /** @param {string[]} ids */
  const set = async (ids) => {
    isBusy.value = true;
    await attempt(() => setDependencies(model.boardId, card.id, ids));
    isBusy.value = false;
  };
  const others = Object.values(state.cards).filter(({ id }) => id !== card.id && !wanted.includes(id)).slice(0, MAX_OFFERED);
  return html`
    <section class="panel-part" aria-labelledby="dependencies-heading">
      <h4 id="dependencies-heading">${TEXTS.panel.dependencies}</h4>
      <ul id="dependencies">
        ${wanted.map((id) => html`
          <li key=${id}><a href=${addressOfCard(model.boardId, id)}>${labelOf(state, id) ?? id}</a> <span>${state.cards[id]?.title}</span>
            ${mayWrite && html`<button type="button" class="icon" disabled=${isBusy.value} aria-label=${TEXTS.panel.removeDependency(labelOf(state, id) ?? id)} onClick=${() => set(wanted.filter((one) => one !== id))}>×</button>`}
          </li>`)}
      </ul>
      ${mayWrite && others.length > 0 && html`
        <select aria-label=${TEXTS.panel.addDependency} value="" disabled=${isBusy.value} onChange=${(/** @type {any} */ event) => set([...wanted, event.target.value])}>
          <option value="">${TEXTS.panel.addDependency} …</option>
          ${others.map(({ id, ticketKey, title }) => html`<option key=${id} value=${id}>${ticketKey ? `${ticketKey} ` : ''}${title}</option>`)}
        </select>`}
    </section>`;
}
