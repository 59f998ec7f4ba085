/** The servers of the installation, and what each does in a second. */
import { usePolled } from './polling.js';
import { html, useRef } from './preact.js';
import { listNodes } from './rest.js';
import { TEXTS } from './texts.js';
import { since } from './time.js';

const { inspector: WORDS } = TEXTS;
/** Each server writes its figures every 5 s. */
const AGAIN_MS = 2000;

/** @typedef {import('./rest.js').Node} Node */

export function NodesTable() {
  const found = usePolled(listNodes, AGAIN_MS);
  const nodes = found.value ?? [];
  if (nodes.length === 0) return null;
  return html`
    <section class="tile" aria-labelledby="nodes-heading">
      <h3 id="nodes-heading">${WORDS.nodes}</h3>
      <div class="scroll" tabindex="0" role="group" aria-labelledby="nodes-heading"><table id="nodes">
        <thead><tr>${WORDS.nodeHeads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
        <tbody>${nodes.map((node) => html`<${Row} key=${node.name} node=${node} />`)}</tbody>
      </table></div>
    </section>`;
}

/** @param {{node: Node}} props */
function Row({ node }) {
  const rate = useRate(node);
  const problem = node.isSilent ? WORDS.silent : node.brokerProblem;
  return html`
    <tr data-is-behind=${problem !== null || node.headsBehind > 0}>
      <th scope="row">${node.name || node.address || WORDS.onlyNode} <span class="quiet">${node.version}</span></th>
      <td>${since(node.startedAt)}</td>
      <td>${node.readers.toLocaleString()}</td>
      <td>${rate === null ? '…' : rate.toFixed(1)}</td>
      <td>${node.headsBehind}</td>
      <td>${node.repairs}</td>
      <td>${problem ?? (node.isLeader ? WORDS.leader : '–')}</td>
    </tr>`;
}

/** Events that the server has stored in a second, between its last two rows; null before the second one. @param {Node} node */
function useRate(node) {
  const last = useRef({ at: node.lastSeenAt, stored: node.eventsStored, rate: /** @type {number | null} */ (null) });
  const { at, stored } = last.current;
  if (node.lastSeenAt !== at) {
    const seconds = (Date.parse(node.lastSeenAt) - Date.parse(at)) / 1000;
    last.current = { at: node.lastSeenAt, stored: node.eventsStored, rate: Math.max(0, node.eventsStored - stored) / seconds };
  }
  return last.current.rate;
}
