/** The list of boards at the side. Choosing one is a plain link to `#<board id>`, so it can be bookmarked. */
import { boards, loadBoards, overview } from './boards.js';
import { Dialog } from './dialog.js';
import { html, signal, useSignal } from './preact.js';
import { createBoard } from './rest.js';
import { addressOfBoard, boardInAddress, go } from './route.js';
import { TEXTS } from './texts.js';
import { attempt, may, session } from './visitor.js';

export const isMakingBoard = signal(false);

export function BoardsList() {
  const isOpen = useSignal(false);
  const chosen = projectName();
  return html`
    <nav class="boards" aria-labelledby="boards-heading" data-open=${isOpen.value}>
      <button type="button" class="boards-toggle" aria-expanded=${isOpen.value} aria-controls="boards" title=${TEXTS.boards.show}
        onClick=${() => (isOpen.value = !isOpen.value)}>${chosen ?? TEXTS.boards.title} <span aria-hidden="true">▾</span></button>
      <h2 id="boards-heading">${TEXTS.boards.title}</h2>
      ${boards.value === null && html`<div class="skeletons" aria-hidden="true"><i></i><i></i><i></i></div>`}
      <ul id="boards">
        ${boards.value?.map((board) => html`<${BoardItem} key=${board.id} board=${board} onChoose=${() => (isOpen.value = false)} />`)}
      </ul>
      ${boards.value?.length === 0 && html`<p id="no-boards" class="quiet">${session.value?.can.includes('read') ? TEXTS.boards.none : TEXTS.boards.noneReadable}</p>`}
      ${may('admin', null) && html`<button type="button" id="new-board" class="quiet-button" onClick=${() => (isMakingBoard.value = true)}>+ ${TEXTS.boards.create}</button>`}
      ${isMakingBoard.value && html`<${NewBoard} onClose=${() => (isMakingBoard.value = false)} />`}
    </nav>`;
}

const projectName = () => boards.value?.find(({ id }) => id === boardInAddress.value)?.name;

/** @param {{board: import('./rest.js').Project, onChoose: () => void}} props */
function BoardItem({ board, onChoose }) {
  const active = overview.value?.activeAttempts.filter((/** @type {any} */ one) => one.projectId === board.id).length ?? 0;
  const isChosen = board.id === boardInAddress.value;
  return html`
    <li>
      <a href=${addressOfBoard(board.id)} data-board-id=${board.id} aria-current=${isChosen ? 'page' : undefined} onClick=${onChoose}>${board.name}</a>
      ${active > 0 && html`<span class="active-count" title=${TEXTS.boards.active(active)}><span class="unseen">${TEXTS.boards.active(active)}</span><span aria-hidden="true">${active}</span></span>`}
    </li>`;
}

/** @param {{onClose: () => void}} props */
function NewBoard({ onClose }) {
  /** @param {SubmitEvent} event */
  const submit = async (event) => {
    event.preventDefault();
    const fields = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const isMade = await attempt(async () => {
      const made = await createBoard(String(fields.get('name')), String(fields.get('repositoryPath')));
      await loadBoards();
      go(addressOfBoard(made.id));
    });
    if (isMade) onClose();
  };
  return html`
    <${Dialog} title=${TEXTS.boards.create} onClose=${onClose}>
      <form id="create-board" class="fields" onSubmit=${submit}>
        <label>${TEXTS.boards.name}<input name="name" required maxlength="200" autocomplete="off" autofocus /></label>
        <label>${TEXTS.boards.repositoryPath}<input name="repositoryPath" required maxlength="4096" autocomplete="off" placeholder=${TEXTS.boards.pathExample} /></label>
        <div class="actions"><button type="button" onClick=${onClose}>${TEXTS.cancel}</button><button type="submit" class="primary">${TEXTS.boards.submit}</button></div>
      </form>
    <//>`;
}
