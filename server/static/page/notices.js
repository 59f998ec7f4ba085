/** Short notices at the edge of the page: errors stay until they are dismissed, other notices go by themselves. */
import { html, signal } from './preact.js';
import { TEXTS } from './texts.js';

const MAX_NOTICES = 4;
const SHOWN_MS = 5000;

/** @typedef {{id: number, kind: 'error' | 'done', text: string}} Notice */

const notices = signal(/** @type {Notice[]} */ ([]));
/** What a screen reader says; nobody sees it. */
const spoken = signal('');
let lastId = 0;

/** @param {string} text */
export const showError = (text) => add('error', text);

/** @param {string} text */
export function showDone(text) {
  const id = add('done', text);
  setTimeout(() => dismiss(id), SHOWN_MS);
}

/** @param {string} text */
export function say(text) {
  spoken.value = text;
}

/** The reader does something else; what was refused before is over. */
export function clearErrors() {
  notices.value = notices.peek().filter(({ kind }) => kind !== 'error');
}

/** @param {Notice['kind']} kind @param {string} text */
function add(kind, text) {
  lastId += 1;
  const known = notices.peek().find((notice) => notice.text === text);
  if (known !== undefined) return known.id; // a screen reader has said it
  notices.value = [...notices.peek(), { id: lastId, kind, text }].slice(-MAX_NOTICES);
  return lastId;
}

/** @param {number} id */
function dismiss(id) {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}

export function Notices() {
  return html`
    <div id="errors" class="notices" role="alert">
      ${notices.value.map(({ id, kind, text }) => html`
        <p key=${id} class=${`notice ${kind}`}>
          <span>${text}</span>
          <button type="button" class="icon" aria-label=${TEXTS.dismiss} onClick=${() => dismiss(id)}>×</button>
        </p>`)}
    </div>
    <p class="unseen" aria-live="assertive">${spoken.value}</p>`;
}
