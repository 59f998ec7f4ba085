/** What has happened on the board since the page was opened, newest first. */
import { html, signal } from './preact.js';
import { TEXTS, textOfEvent } from './texts.js';

const LINES_KEPT = 200;
const CHARACTERS_SHOWN = 400;

/** @typedef {{id: number, time: Date, type: string, level: string | null, attemptId: string | null, about: string | null, text: string}} Line */

export class Activity {
  lines = signal(/** @type {readonly Line[]} */ ([]));
  #lastId = 0;
  /** Lines that came since the last frame. @type {Line[]} */
  #fresh = [];

  /**
   * Add the line of an event, when it has one; `about` names the card it is about.
   * @param {string} type
   * @param {any} payload
   * @param {string | null} about
   */
  add(type, payload, about) {
    const text = textOfEvent(type, payload);
    if (text === null) return;
    this.#lastId += 1;
    const level = payload.level ?? payload.status ?? payload.item?.type ?? null;
    const shown = text.length > CHARACTERS_SHOWN ? `${text.slice(0, CHARACTERS_SHOWN)} …` : text;
    this.#fresh.unshift({ id: this.#lastId, time: new Date(), type, level, attemptId: payload.attemptId || null, about, text: shown });
    this.#fresh.splice(LINES_KEPT); // a page that nobody sees has no frames
    if (this.#fresh.length > 1) return;
    requestAnimationFrame(() => {
      this.lines.value = [...this.#fresh, ...this.lines.value].slice(0, LINES_KEPT);
      this.#fresh = [];
    });
  }
}

/** @param {{activity: Activity}} props */
export function ActivityList({ activity }) {
  const lines = activity.lines.value;
  return html`
    <aside class="activity" aria-labelledby="activity-heading">
      <h2 id="activity-heading">${TEXTS.activity.title}</h2>
      ${lines.length === 0 && html`<p class="empty">${TEXTS.activity.none}</p>`}
      <ol id="activity" tabindex="0" aria-labelledby="activity-heading">${lines.map((line) => html`<${ActivityLine} key=${line.id} line=${line} />`)}</ol>
    </aside>`;
}

/** @param {{line: Line}} props */
function ActivityLine({ line }) {
  return html`
    <li data-type=${line.type} data-attempt-id=${line.attemptId} data-level=${line.level}>
      <div class="meta"><code class="kind">${line.type}</code><time dateTime=${line.time.toISOString()}>${line.time.toLocaleTimeString()}</time></div>
      <p>${line.about !== null && html`<span class="about">${line.about}</span> `}<span class="text">${line.text}</span></p>
    </li>`;
}
