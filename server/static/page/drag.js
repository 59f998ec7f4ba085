/** Dragging cards by mouse and touch. The keyboard has card_keys.js. */
import Sortable from './vendor/sortable.esm.js';

/** Rearranging more cards than this with an animation takes longer than a frame. */
const MAX_ANIMATED = 60;
/** A finger that scrolls must not take a card with it. */
const TOUCH_DELAY_MS = 180;

/**
 * Let the cards of a list be dragged within it and to others. Return a function that ends this.
 * @param {HTMLElement} list
 * @param {import('./board_model.js').BoardModel} model
 */
export function enableDragging(list, model) {
  /** Where the node of the dragged card was, for `put`. @type {Node | null} */
  let next = null;
  const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  const sortable = Sortable.create(list, {
    group: 'cards',
    draggable: '.card',
    filter: 'a',
    preventOnFilter: false,
    forceFallback: true, // the same for mouse and touch, with a place that can be styled
    fallbackOnBody: true,
    fallbackTolerance: 4,
    delay: TOUCH_DELAY_MS,
    delayOnTouchOnly: true,
    touchStartThreshold: 8,
    scrollSensitivity: 60,
    scrollSpeed: 14,
    ghostClass: 'place',
    fallbackClass: 'in-hand',
    onStart: ({ item }) => {
      next = item.nextSibling;
      model.hold();
      model.carried.value = null;
      document.body.classList.add('dragging');
    },
    onEnd: ({ item, from, to }) => {
      const place = placeIn(to, item, model);
      // The nodes belong to Preact: the card goes back, and is drawn at its new place.
      from.insertBefore(item, next);
      document.body.classList.remove('dragging');
      if (place !== null) model.move(String(item.dataset.cardId), place);
      model.release();
    },
  });
  const calmDown = () => sortable.option('animation', isCalm || list.children.length > MAX_ANIMATED ? 0 : 120);
  list.addEventListener('pointerdown', calmDown, true);
  return () => {
    list.removeEventListener('pointerdown', calmDown, true);
    sortable.destroy();
  };
}

/**
 * The place of a node among the cards of its column, some of which may not be shown.
 * @param {HTMLElement} list
 * @param {HTMLElement} item
 * @param {import('./board_model.js').BoardModel} model
 */
function placeIn(list, item, model) {
  const columnId = list.closest('[data-column-id]')?.getAttribute('data-column-id') ?? '';
  const column = model.state.peek()?.columns[columnId];
  if (column === undefined) return null;
  const ids = column.cardIds.filter((id) => id !== item.dataset.cardId);
  const above = item.previousElementSibling;
  const below = item.nextElementSibling;
  if (above instanceof HTMLElement) return { columnId, index: ids.indexOf(above.dataset.cardId ?? '') + 1 };
  if (below instanceof HTMLElement) return { columnId, index: Math.max(0, ids.indexOf(below.dataset.cardId ?? '')) };
  return { columnId, index: ids.length };
}
