/** One card of the board: what it is called, what it waits for, and how its newest attempt stands. */
import { html } from './preact.js';
import { addressOfCard, go } from './route.js';
import { TEXTS } from './texts.js';

/**
 * It reads a signal, so it is drawn again only if a property of it or the status of the attempt has changed.
 * @param {{card: import('../boardcast.js').Card, blocked: string, isCarried: boolean, isFirst: boolean, model: import('./board_model.js').BoardModel, mayWrite: boolean}} props
 */
export function Card({ card, blocked, isCarried, isFirst, model, mayWrite }) {
  const status = model.attempts.statusOf(card.id);
  const links = linksOf(card);
  return html`
    <li class=${isCarried ? 'card carried' : 'card'} data-card-id=${card.id} data-status=${status} data-movable=${mayWrite}>
      <button type="button" class="card-open" tabindex=${isFirst ? 0 : -1} onClick=${() => go(addressOfCard(model.boardId, card.id))}>${card.title}</button>
      <div class="card-foot">
        ${card.ticketKey && html`<span class="ticket">${card.ticketKey}</span>`}
        ${card.ticketType && html`<span class="chip" data-type=${card.ticketType}>${card.ticketType}</span>`}
        ${status !== '' && html`<span class="status">${status}</span>`}
      </div>
      ${(blocked !== '' || links.length > 0) && html`<p class="notes">${blocked !== '' && html`<span class="blocked">${TEXTS.card.waits(blocked)}</span>`}${links}</p>`}
    </li>`;
}

/** @param {import('../boardcast.js').Card} card */
function linksOf(card) {
  const issue = card.githubIssue;
  return [
    link(issue?.url, issue === undefined ? '' : TEXTS.card.issue(issue.issueNumber)),
    link(card.prUrl, TEXTS.card.pullRequest),
  ].filter((one) => one !== null);
}

/**
 * A link to a web address; anything else (`javascript:` above all) is not made one.
 * @param {string | undefined} url
 * @param {string} text
 */
export function link(url, text) {
  if (url === undefined || !/^https?:\/\//i.test(url)) return null;
  return html`<a href=${url} rel="noreferrer noopener" target="_blank" tabindex="-1">${text}</a>`;
}
