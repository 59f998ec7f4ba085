/** The lists of attempts on the dashboard: the inbox, those that run, those that have ended. Each leads to its card. */
import { html, useSignal } from './preact.js';
import { addressOfCard } from './route.js';
import { TEXTS } from './texts.js';
import { duration, since } from './time.js';

const { dashboard: WORDS } = TEXTS;
const RECENT_SHOWN = 12;

/** @typedef {'review' | 'failed' | 'stuck'} Kind */

/** @param {{items: any}} props */
export function Inbox({ items }) {
  const kinds = /** @type {const} */ (['review', 'failed', 'stuck']);
  const chosen = useSignal(/** @type {Kind | null} */ (null));
  const kind = chosen.value ?? kinds.find((one) => items[one].length > 0) ?? 'review';
  return html`
    <section class="tile" aria-labelledby="inbox-heading" id="inbox">
      <div class="tile-head">
        <h3 id="inbox-heading">${WORDS.inbox}</h3>
        <div class="tabs" role="group" aria-labelledby="inbox-heading">
          ${kinds.map((one) => html`<button type="button" data-kind=${one} aria-pressed=${one === kind} onClick=${() => (chosen.value = one)}>${WORDS.kinds[one]} <span class="count">${items[one].length}</span></button>`)}
        </div>
      </div>
      ${items[kind].length === 0 && html`<p class="quiet">${WORDS.inboxEmpty}</p>`}
      <ul class="rows" tabindex="0" aria-labelledby="inbox-heading">${items[kind].map((/** @type {any} */ one) => html`<${Row} key=${one.attemptId} one=${one} time=${one.lastUpdatedAt} note=${one.errorSummary ?? one.reason} />`)}</ul>
    </section>`;
}

/** @param {{attempts: any[]}} props */
export function Working({ attempts }) {
  return html`
    <section class="tile" aria-labelledby="working-heading" id="working">
      <h3 id="working-heading">${WORDS.working} <span class="count">${attempts.length}</span></h3>
      ${attempts.length === 0 && html`<p class="quiet">${WORDS.nobody}</p>`}
      <ul class="rows" tabindex="0" aria-labelledby="working-heading">${attempts.map((one) => html`<${Row} key=${one.attemptId} one=${one} time=${one.startedAt ?? one.updatedAt} note=${one.agentId} />`)}</ul>
    </section>`;
}

/** @param {{attempts: any[]}} props */
export function Recent({ attempts }) {
  return html`
    <section class="tile" aria-labelledby="recent-heading" id="recent">
      <h3 id="recent-heading">${WORDS.recent}</h3>
      ${attempts.length === 0 && html`<p class="quiet">${WORDS.none}</p>`}
      <ul class="rows">${attempts.slice(0, RECENT_SHOWN).map((one) => html`
        <${Row} key=${one.attemptId} one=${one} time=${one.occurredAt} note=${`${one.agentId}${one.durationSeconds === undefined ? '' : ` · ${duration(one.durationSeconds * 1000)}`}`} />`)}</ul>
    </section>`;
}

/** @param {{one: any, time: string, note?: string}} props */
function Row({ one, time, note }) {
  return html`
    <li>
      <div><a href=${addressOfCard(one.projectId, one.cardId)}>${one.cardTitle ?? one.cardId}</a> <span class="badge" data-status=${one.status}>${one.status}</span></div>
      <p class="quiet">${[one.ticketKey, one.projectName, note, since(time)].filter(Boolean).join(' · ')}</p>
    </li>`;
}
