/** A modal dialog. The browser keeps the focus in it, closes it on Escape, and gives the focus back. */
import { Notices } from './notices.js';
import { html, signal, useLayoutEffect, useRef } from './preact.js';
import { TEXTS } from './texts.js';

let lastId = 0;
/** Everything outside of the uppermost dialog is out of reach, so the notices are inside of it. */
export const openDialogs = signal(0);

/** @param {{title: unknown, children?: unknown, onClose: () => void, class?: string, id?: string}} props */
export function Dialog({ title, children, onClose, class: name = '', id }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const titleId = useRef(`dialog-${(lastId += 1)}`).current;
  const level = useRef(0);
  useLayoutEffect(() => {
    const node = dialog.current;
    node?.showModal();
    level.current = openDialogs.value = openDialogs.peek() + 1;
    return () => {
      node?.close();
      openDialogs.value = openDialogs.peek() - 1;
    };
  }, []);
  /** The backdrop is part of the dialog, and everything else is inside of its frame. @param {MouseEvent} event */
  const press = (event) => {
    if (event.target === dialog.current) onClose();
  };
  return html`
    <dialog ref=${dialog} id=${id} class=${name} aria-labelledby=${titleId} onCancel=${onClose} onMouseDown=${press}>
      <div class="frame">
        <header><h2 id=${titleId}>${title}</h2><button type="button" class="icon" aria-label=${TEXTS.close} onClick=${onClose}>×</button></header>
        ${children}
      </div>
      ${openDialogs.value === level.current && html`<${Notices} />`}
    </dialog>`;
}
