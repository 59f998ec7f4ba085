/** Title, description, type and column of a card: shown, and changed by a reader who may. */
import { Markdown } from './markdown.js';
import { html, useSignal } from './preact.js';
import { placeOf } from './moves.js';
import { TEXTS } from './texts.js';
import { TICKET_TYPES } from './words.js';

/** @typedef {import('../boardcast.js').Card} Card */
/** @typedef {import('./board_model.js').BoardModel} BoardModel */

/** @param {{card: Card, model: BoardModel, mayWrite: boolean}} props */
export function CardFields({ card, model, mayWrite }) {
  const isEditing = useSignal(false);
  const stop = () => (isEditing.value = false);
  if (isEditing.value && mayWrite) return html`<${Form} card=${card} model=${model} onEnd=${stop} />`;
  return html`
    <div class="card-fields">
      <div class="title-line">
        <h3>${card.title}</h3>
        ${mayWrite && html`<button type="button" data-action="edit-card" onClick=${() => (isEditing.value = true)}>${TEXTS.panel.edit}</button>`}
      </div>
      <div class="facts">
        <${Place} card=${card} model=${model} mayWrite=${mayWrite} />
        ${card.ticketType && html`<span class="chip" data-type=${card.ticketType}>${card.ticketType}</span>`}
        ${card.isEnhanced && html`<span class="chip">${TEXTS.panel.enhanced}</span>`}
      </div>
      ${card.description ? html`<${Markdown} text=${card.description} />` : html`<p class="quiet">${TEXTS.panel.noDescription}</p>`}
    </div>`;
}

/** The column, and another way to move the card than dragging it. @param {{card: Card, model: BoardModel, mayWrite: boolean}} props */
function Place({ card, model, mayWrite }) {
  const state = model.state.value;
  const place = state && placeOf(state, card.id);
  if (!state || !place) return null;
  if (!mayWrite) return html`<span class="chip">${state.columns[place.columnId]?.title}</span>`;
  /** @param {any} event */
  const choose = ({ target }) => model.move(card.id, { columnId: target.value, index: state.columns[target.value]?.cardIds.length ?? 0 });
  return html`
    <label>${TEXTS.panel.column} <select value=${place.columnId} onChange=${choose}>
      ${state.columnOrder.map((id) => html`<option value=${id}>${state.columns[id]?.title}</option>`)}
    </select></label>`;
}

/** @param {{card: Card, model: BoardModel, onEnd: () => void}} props */
function Form({ card, model, onEnd }) {
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    const fields = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const set = changedFields(card, {
      title: String(fields.get('title')).trim(),
      description: String(fields.get('description')).replaceAll('\r\n', '\n') || null,
      ticketType: /** @type {Card['ticketType']} */ (String(fields.get('ticketType')) || null),
    });
    if (Object.keys(set).length > 0) model.update(card.id, set);
    onEnd();
  };
  /** @param {KeyboardEvent} event */
  const press = (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) /** @type {HTMLFormElement} */ (event.currentTarget).requestSubmit();
    if (event.key !== 'Escape') return;
    event.preventDefault(); // the panel stays open
    onEnd();
  };
  return html`
    <form id="card-form" class="fields" onSubmit=${submit} onKeyDown=${press}>
      <label>${TEXTS.panel.title}<input name="title" required maxlength="500" autocomplete="off" autofocus defaultValue=${card.title} /></label>
      <label>${TEXTS.panel.description}<textarea name="description" rows="9" defaultValue=${card.description ?? ''}></textarea></label>
      <label>${TEXTS.board.type}<select name="ticketType">
        <option value="" selected=${card.ticketType === null}>${TEXTS.panel.noType}</option>
        ${TICKET_TYPES.map((type) => html`<option value=${type} selected=${card.ticketType === type}>${type}</option>`)}
      </select></label>
      <div class="actions"><button type="button" onClick=${onEnd}>${TEXTS.cancel}</button><button type="submit" class="primary">${TEXTS.save}</button></div>
    </form>`;
}

/** Only what the reader has changed is sent; others may have changed the rest meanwhile. @param {Card} card @param {{title: string, description: string | null, ticketType: Card['ticketType']}} given */
function changedFields(card, given) {
  const now = { title: card.title, description: card.description ?? null, ticketType: card.ticketType };
  return Object.fromEntries(Object.entries(given).filter(([key, value]) => value !== Reflect.get(now, key)));
}
