/** The list of boards; choosing one is a plain link to `#<board id>`, so that it can be bookmarked. */
import { element } from '../common/element.js';

/** Show `boards` (project objects of the REST interface) in `list`, with `chosenId` marked. */
export function showBoards(list, boards, chosenId) {
  list.replaceChildren(...boards.map((board) => boardItem(board, board.id === chosenId)));
}

function boardItem(board, isChosen) {
  const link = element(
    'a',
    { href: `#${encodeURIComponent(board.id)}`, 'data-board-id': board.id, 'aria-current': isChosen ? 'page' : null },
    board.name,
  );
  return element('li', {}, link);
}
