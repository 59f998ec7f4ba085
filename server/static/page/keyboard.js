/** The shortcuts of the page. The keys on a card are those of card_keys.js. */
import { areShortcutsOpen } from './shortcuts.js';

/** @type {Record<string, () => void>} */
const SHORTCUTS = {
  '/': () => document.getElementById('search')?.focus(),
  '?': () => (areShortcutsOpen.value = true),
  n: () => {
    const column = document.activeElement?.closest('[data-column-id]') ?? document.querySelector('[data-column-id]');
    column?.querySelector('input')?.focus();
  },
};

/** Return a function that ends this. */
export function enableShortcuts() {
  /** @param {KeyboardEvent} event */
  const press = (event) => {
    const shortcut = SHORTCUTS[event.key];
    if (shortcut === undefined || event.ctrlKey || event.altKey || event.metaKey || isTaken(event.target)) return;
    event.preventDefault();
    shortcut();
  };
  addEventListener('keydown', press);
  return () => removeEventListener('keydown', press);
}

/** Whether the key belongs to a field or to an open dialog. @param {EventTarget | null} target */
const isTaken = (target) => target instanceof Element && target.closest('input, textarea, select, dialog, [contenteditable]') !== null;
