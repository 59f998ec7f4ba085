/** Dragging cards between columns with the pointer; the keyboard has the buttons on each card. */

/**
 * Watch `board` for drags. `onDrop(cardId, columnId, index)` gets where a card was dropped, `index` counted in
 * the target column without the card itself.
 */
export function enableDragging(board, onDrop) {
  let dragged = null;

  board.addEventListener('dragstart', (event) => {
    dragged = event.target.closest?.('[data-card-id]') ?? null;
    if (dragged === null) return;
    event.dataTransfer.effectAllowed = 'move';
    event.dataTransfer.setData('text/plain', dragged.dataset.cardId);
    dragged.classList.add('dragged');
  });

  board.addEventListener('dragover', (event) => {
    const column = event.target.closest?.('[data-column-id]');
    if (dragged === null || !column) return;
    event.preventDefault(); // allows the drop
    mark(board, column);
  });

  board.addEventListener('drop', (event) => {
    const column = event.target.closest?.('[data-column-id]');
    if (dragged === null || !column) return;
    event.preventDefault();
    onDrop(dragged.dataset.cardId, column.dataset.columnId, indexAt(column, dragged, event.clientY));
  });

  board.addEventListener('dragend', () => {
    dragged?.classList.remove('dragged');
    dragged = null;
    mark(board, null);
  });
}

function mark(board, column) {
  for (const marked of board.querySelectorAll('.drop-target')) if (marked !== column) marked.classList.remove('drop-target');
  column?.classList.add('drop-target');
}

/** How many other cards of the column lie above the pointer. */
function indexAt(column, dragged, pointerY) {
  const others = [...column.querySelectorAll('[data-card-id]')].filter((card) => card !== dragged);
  return others.filter((card) => pointerY > middleOf(card)).length;
}

function middleOf(node) {
  const { top, height } = node.getBoundingClientRect();
  return top + height / 2;
}
