/** The streams that are open on the server, those that are furthest behind first. */
import { boards } from './boards.js';
import { usePolled } from './polling.js';
import { html } from './preact.js';
import { listStreams } from './rest.js';
import { TEXTS } from './texts.js';

const { inspector: WORDS } = TEXTS;
const AGAIN_MS = 2000;

export function StreamsTable() {
  const found = usePolled(listStreams, AGAIN_MS);
  const { total, streams } = found.value ?? { total: 0, streams: [] };
  return html`
    <section class="tile" aria-labelledby="streams-heading">
      <div class="tile-head"><h3 id="streams-heading">${WORDS.streams}</h3><p class="quiet">${WORDS.streamsText(streams.length, total)}</p></div>
      <ul class="exits">${Object.entries(countByExit(streams)).map(([exit, count]) => html`<li key=${exit}><b>${count}</b> ${exit}</li>`)}</ul>
      <div class="scroll streams" tabindex="0" role="group" aria-labelledby="streams-heading"><table id="streams">
        <thead><tr>${WORDS.heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
        <tbody>${streams.map((stream) => html`<${Row} stream=${stream} />`)}</tbody>
      </table></div>
    </section>`;
}

/** @param {{stream: import('./rest.js').OpenStream}} props */
function Row({ stream }) {
  const { exit, boardId, detail, cursor, behind, queued, lastGap } = stream;
  return html`
    <tr data-exit=${exit} data-is-behind=${behind > 0 || queued > 0}>
      <th scope="row">${exit}</th>
      <td>${boardId === null ? TEXTS.dashboard.title : (boards.value?.find(({ id }) => id === boardId)?.name ?? boardId)} <span class="quiet">${detail}</span></td>
      <td>${behind}</td><td>${queued}</td><td>${lastGap ?? '–'}</td><td><code>${cursor}</code></td>
    </tr>`;
}

/** @param {import('./rest.js').OpenStream[]} streams */
function countByExit(streams) {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const { exit } of streams) counts[exit] = (counts[exit] ?? 0) + 1;
  return counts;
}
