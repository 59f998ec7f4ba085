/** The columns of a board with their cards. Each column scrolls by itself. */
import { Card } from './card.js';
import { enableCardKeys } from './card_keys.js';
import { enableDragging } from './drag.js';
import { html, useEffect, useLayoutEffect, useRef, useState } from './preact.js';
import { unfinishedDependencies } from './moves.js';
import { TEXTS } from './texts.js';
import { may } from './visitor.js';

/** @typedef {import('./board_model.js').BoardModel} BoardModel */
/** @typedef {import('./filter.js').Filter} Filter */

/** Cards of a column that are drawn at first, and those that each further frame adds. */
const FIRST_CARDS = 40;
const MORE_CARDS = 120;

/** @param {{model: BoardModel, filter: Filter}} props */
export function Columns({ model, filter }) {
  const board = useRef(/** @type {HTMLElement | null} */ (null));
  const state = model.state.value;
  const mayWrite = may('write', model.boardId);
  useEffect(() => (board.current === null ? undefined : enableCardKeys(board.current, model, mayWrite)), [model, mayWrite, state === null]);
  if (state === null) return model.status.value.status === 'ended' ? html`<${Gone} model=${model} />` : html`<${Skeleton} />`;
  const columns = state.columnOrder.map((id) => state.columns[id]).filter((column) => column !== undefined);
  return html`
    <nav class="column-tabs" aria-label=${TEXTS.board.columns}>
      ${columns.map(({ id, title, cardIds }) => html`<button type="button" key=${id} onClick=${() => showColumn(id)}>${title} <span class="count">${cardIds.length}</span></button>`)}
    </nav>
    <div id="board" class="columns" data-board-id=${model.boardId} ref=${board}>
      ${columns.map((column) => html`<${ColumnView} key=${column.id} column=${column} model=${model} filter=${filter} mayWrite=${mayWrite} />`)}
    </div>`;
}

/** @param {string} columnId */
function showColumn(columnId) {
  document.querySelector(`[data-column-id="${CSS.escape(columnId)}"]`)?.scrollIntoView({ inline: 'start', block: 'nearest' });
}

/** @param {{column: import('../boardcast.js').Column, model: BoardModel, filter: Filter, mayWrite: boolean}} props */
function ColumnView({ column, model, filter, mayWrite }) {
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const shown = filter.shown(model, column.cardIds);
  const drawn = useDrawn(shown.length);
  useLayoutEffect(() => (list.current === null || !mayWrite ? undefined : enableDragging(list.current, model)), [model, mayWrite]);
  const empty = column.cardIds.length === 0 ? TEXTS.column.empty : TEXTS.column.noMatch;
  return html`
    <section class="column" data-column-id=${column.id} aria-label=${TEXTS.column.label(column.title, column.cardIds.length)}>
      <header><h3>${column.title}</h3><span class="count">${column.cardIds.length}</span></header>
      ${mayWrite && html`<${NewCard} column=${column} model=${model} />`}
      <ol class="cards" ref=${list} data-empty=${empty}>
        ${shown.slice(0, drawn).map((id, index) => drawCard(id, index === 0, model, mayWrite))}
      </ol>
    </section>`;
}

/** @param {string} id @param {boolean} isFirst @param {BoardModel} model @param {boolean} mayWrite */
function drawCard(id, isFirst, model, mayWrite) {
  const state = model.state.value;
  const card = state?.cards[id];
  if (!state || card === undefined) return null;
  const blocked = card.dependsOn === undefined ? '' : unfinishedDependencies(state, id);
  const isCarried = model.carried.value?.cardId === id;
  return html`<${Card} key=${id} card=${card} blocked=${blocked} isCarried=${isCarried} isFirst=${isFirst} model=${model} mayWrite=${mayWrite} />`;
}

/** How many cards are drawn: some at once, the others in later frames, so that the page never stands still. @param {number} count */
function useDrawn(count) {
  const [drawn, setDrawn] = useState(FIRST_CARDS);
  useEffect(() => {
    if (drawn >= count) return undefined;
    const timer = setTimeout(() => setDrawn(drawn + MORE_CARDS), 16);
    return () => clearTimeout(timer);
  }, [drawn, count]);
  return drawn;
}

/** @param {{column: import('../boardcast.js').Column, model: BoardModel}} props */
function NewCard({ column, model }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  /** @param {Event} event */
  const submit = async (event) => {
    event.preventDefault();
    const field = /** @type {HTMLInputElement} */ (input.current);
    const title = field.value;
    field.value = '';
    const cardId = await model.create(column.id, title);
    if (cardId === null) field.value ||= title;
    else reveal(cardId);
  };
  return html`
    <form class="create-card" onSubmit=${submit}>
      <input name="title" ref=${input} required maxlength="500" autocomplete="off" placeholder=${TEXTS.column.placeholder} aria-label=${TEXTS.column.newCard(column.title)} />
      <button type="submit" aria-label=${`${TEXTS.column.add}: ${TEXTS.column.newCard(column.title)}`}>${TEXTS.column.add}</button>
    </form>`;
}

/** The server puts a new card at the end of its column. @param {string} cardId */
function reveal(cardId) {
  requestAnimationFrame(() => {
    const card = document.querySelector(`[data-card-id="${CSS.escape(cardId)}"]`);
    card?.scrollIntoView({ block: 'nearest' });
    card?.classList.add('fresh');
  });
}

function Skeleton() {
  const column = html`<section class="column" aria-hidden="true"><header><h3><i></i></h3></header><div class="skeletons"><i></i><i></i><i></i></div></section>`;
  return html`<div id="board" class="columns waiting" data-board-id="" aria-busy="true">${column}${column}${column}${column}</div>`;
}

/** @param {{model: BoardModel}} props */
function Gone({ model }) {
  const { value } = model.status;
  return html`
    <div id="board" class="blank" data-board-id="">
      <h3>${TEXTS.board.gone}</h3>
      <p>${TEXTS.board.goneText('reason' in value ? value.reason : '')}</p>
    </div>`;
}
