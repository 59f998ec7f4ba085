/** The line above the board: its name, what can be done to it, the search and the filter. */
import { loadBoards } from './boards.js';
import { projectInAddress } from './current_board.js';
import { Dialog } from './dialog.js';
import { areExitsOpen } from './exits.js';
import { showDone } from './notices.js';
import { html, useSignal } from './preact.js';
import { deleteBoard, renameBoard } from './rest.js';
import { go } from './route.js';
import { areShortcutsOpen } from './shortcuts.js';
import { TEXTS } from './texts.js';
import { STATUSES, TICKET_TYPES } from './words.js';
import { attempt, may } from './visitor.js';

/** @typedef {import('./board_model.js').BoardModel} BoardModel */
/** @typedef {import('./filter.js').Filter} Filter */
/** @typedef {import('@preact/signals-core').Signal<boolean>} Flag */

/** @param {{title: string, model: BoardModel | null, filter: Filter, hasActivity: Flag}} props */
export function Toolbar({ title, model, filter, hasActivity }) {
  return html`
    <div class="toolbar">
      <h2 id="board-title" tabindex="-1">${title}</h2>
      ${model !== null && html`<${BoardActions} key=${model.boardId} title=${title} boardId=${model.boardId} />`}
      <div class="spacer"></div>
      ${model !== null && model.state.value !== null && html`<${FilterFields} model=${model} filter=${filter} />`}
      <div class="tools">
        <button type="button" class="quiet-button wide-only" aria-pressed=${hasActivity.value} onClick=${() => (hasActivity.value = !hasActivity.value)}>${TEXTS.board.activity}</button>
        <button type="button" class="quiet-button wide-only" onClick=${() => (areExitsOpen.value = true)}>${TEXTS.board.addresses}</button>
        <button type="button" class="icon wide-only" aria-label=${TEXTS.board.shortcuts} title=${TEXTS.board.shortcuts} onClick=${() => (areShortcutsOpen.value = true)}>?</button>
      </div>
    </div>`;
}

/** @param {{model: BoardModel, filter: Filter}} props */
function FilterFields({ model, filter }) {
  const state = model.state.value;
  const all = state === null ? 0 : Object.keys(state.cards).length;
  const shown = state === null ? 0 : state.columnOrder.reduce((sum, id) => sum + filter.shown(model, state.columns[id]?.cardIds ?? []).length, 0);
  /** @param {import('@preact/signals-core').Signal<string>} field */
  const into = (field) => (/** @type {any} */ event) => (field.value = event.target.value);
  return html`
    <form class="filter" role="search" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      <input type="search" id="search" aria-label=${TEXTS.board.search} placeholder=${TEXTS.board.searchHint} maxlength="200" autocomplete="off" value=${filter.query.value} onInput=${into(filter.query)} />
      <select aria-label=${TEXTS.board.type} value=${filter.type.value} onChange=${into(filter.type)}>
        <option value="">${TEXTS.board.anyType}</option>
        ${TICKET_TYPES.map((type) => html`<option value=${type}>${type}</option>`)}
      </select>
      <select aria-label=${TEXTS.board.status} value=${filter.status.value} onChange=${into(filter.status)}>
        <option value="">${TEXTS.board.anyStatus}</option>
        <option value="none">${TEXTS.board.noStatus}</option>
        ${STATUSES.map((status) => html`<option value=${status}>${status}</option>`)}
      </select>
      <span class="matches" aria-live="polite">${filter.isOn.value ? TEXTS.board.matches(shown, all) : TEXTS.board.total(all)}</span>
      ${filter.isOn.value && html`<button type="button" class="quiet-button" onClick=${() => filter.clear()}>${TEXTS.board.clear}</button>`}
    </form>`;
}

/** @param {{title: string, boardId: string}} props */
function BoardActions({ title, boardId }) {
  const open = useSignal(/** @type {'rename' | 'delete' | null} */ (null));
  if (!may('admin', boardId) || projectInAddress() === undefined) return null;
  const close = () => (open.value = null);
  return html`
    <div class="board-actions">
      <button type="button" class="quiet-button" data-action="rename-board" onClick=${() => (open.value = 'rename')}>${TEXTS.boards.rename}</button>
      <button type="button" class="quiet-button" data-action="delete-board" onClick=${() => (open.value = 'delete')}>${TEXTS.boards.delete}</button>
      ${open.value === 'rename' && html`<${Rename} title=${title} boardId=${boardId} onClose=${close} />`}
      ${open.value === 'delete' && html`<${Delete} title=${title} boardId=${boardId} onClose=${close} />`}
    </div>`;
}

/** @param {{title: string, boardId: string, onClose: () => void}} props */
function Rename({ title, boardId, onClose }) {
  /** @param {SubmitEvent} event */
  const submit = async (event) => {
    event.preventDefault();
    const name = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get('name'));
    if (!(await attempt(() => renameBoard(boardId, name)))) return;
    await loadBoards();
    onClose();
  };
  return html`
    <${Dialog} title=${TEXTS.boards.renameTitle} onClose=${onClose}>
      <form class="fields" onSubmit=${submit}>
        <label>${TEXTS.boards.name}<input name="name" required maxlength="200" autocomplete="off" autofocus defaultValue=${title} /></label>
        <div class="actions"><button type="button" onClick=${onClose}>${TEXTS.cancel}</button><button type="submit" class="primary">${TEXTS.save}</button></div>
      </form>
    <//>`;
}

/** @param {{title: string, boardId: string, onClose: () => void}} props */
function Delete({ title, boardId, onClose }) {
  const submit = async () => {
    if (!(await attempt(() => deleteBoard(boardId)))) return;
    onClose();
    showDone(TEXTS.boards.deleted(title));
    go('#');
    await loadBoards();
  };
  return html`
    <${Dialog} title=${TEXTS.boards.deleteTitle(title)} onClose=${onClose}>
      <p>${TEXTS.boards.deleteText}</p>
      <div class="actions"><button type="button" autofocus onClick=${onClose}>${TEXTS.cancel}</button><button type="button" class="danger" data-action="confirm-delete" onClick=${submit}>${TEXTS.boards.deleteSubmit}</button></div>
    <//>`;
}
