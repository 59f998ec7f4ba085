/** The list of the keyboard shortcuts. */
import { Dialog } from './dialog.js';
import { html, signal } from './preact.js';
import { TEXTS } from './texts.js';

export const areShortcutsOpen = signal(false);

export function ShortcutsDialog() {
  if (!areShortcutsOpen.value) return null;
  return html`
    <${Dialog} id="shortcuts" title=${TEXTS.board.shortcuts} onClose=${() => (areShortcutsOpen.value = false)}>
      <dl class="shortcuts">${TEXTS.shortcuts.map(([keys, what]) => html`<dt><kbd>${keys}</kbd></dt><dd>${what}</dd>`)}</dl>
    <//>`;
}
