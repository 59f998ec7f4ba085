/** The page at `/`: the list of boards, the chosen board, what happens on it. */
import { ActivityList } from './activity.js';
import { boards } from './boards.js';
import { BoardsList, isMakingBoard } from './boards_list.js';
import { CardPanel } from './card_panel.js';
import { Columns } from './columns.js';
import { current, followCurrentBoard, projectInAddress } from './current_board.js';
import { ExitsDialog } from './exits.js';
import { Filter } from './filter.js';
import { enableShortcuts } from './keyboard.js';
import { html, useEffect, useMemo, useSignal } from './preact.js';
import { addressOfBoard, boardInAddress, go } from './route.js';
import { ShortcutsDialog } from './shortcuts.js';
import { TEXTS } from './texts.js';
import { Toolbar } from './toolbar.js';
import { may } from './visitor.js';

export function BoardPage() {
  useEffect(followCurrentBoard, []);
  useEffect(enableShortcuts, []);
  const hasActivity = useSignal(matchMedia('(min-width: 80rem)').matches);
  const model = current.value;
  const filter = useMemo(() => new Filter(), [model]);
  chooseFirst();
  const title = projectInAddress()?.name ?? (boardInAddress.value === null ? TEXTS.board.choose : boards.value === null ? '…' : TEXTS.board.unknown);
  useEffect(() => {
    document.title = model === null ? TEXTS.name : `${title} · ${TEXTS.name}`;
  }, [model, title]);
  return html`
    <div class="layout" id="layout" data-has-activity=${hasActivity.value}>
      <${BoardsList} />
      <main id="content" class="board-page" tabindex="-1">
        <${Toolbar} title=${title} model=${model} filter=${filter} hasActivity=${hasActivity} />
        ${model === null ? html`<${NoBoard} />` : html`<${Columns} key=${model.boardId} model=${model} filter=${filter} />`}
      </main>
      ${hasActivity.value && model !== null && html`<${ActivityList} activity=${model.activity} />`}
    </div>
    ${model !== null && html`<${CardPanel} key=${model.boardId} model=${model} />`}
    <${ExitsDialog} />
    <${ShortcutsDialog} />`;
}

/** Without a board in the address the first one is shown. */
function chooseFirst() {
  const first = boards.value?.[0];
  useEffect(() => {
    if (boardInAddress.value === null && first !== undefined) go(addressOfBoard(first.id));
  }, [boardInAddress.value, first?.id]);
}

function NoBoard() {
  if (boards.value === null) return html`<div id="board" data-board-id=""></div>`;
  const isEmpty = boards.value.length === 0;
  return html`
    <div id="board" class="blank" data-board-id="">
      <h3>${isEmpty ? TEXTS.board.first : TEXTS.board.choose}</h3>
      <p>${isEmpty ? TEXTS.board.firstText : TEXTS.board.chooseText}</p>
      ${isEmpty && may('admin', null) && html`<button type="button" class="primary" onClick=${() => (isMakingBoard.value = true)}>${TEXTS.boards.create}</button>`}
    </div>`;
}
