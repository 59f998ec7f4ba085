/** One item of a conversation, of each of the five kinds. */
import { Markdown } from './markdown.js';
import { html } from './preact.js';
import { TEXTS } from './texts.js';
import { clock, duration } from './time.js';

/** @typedef {import('./attempt_model.js').Item} Item */

/** Kind of an item → what it shows. @type {Record<string, (item: any) => unknown>} */
const KINDS = {
  message: (item) => html`<b class="who">${item.role}</b>${textOf(item)}`,
  thinking: (item) => html`
    <details><summary><b class="who">${TEXTS.conversation.thinking}</b> ${item.title ?? ''}</summary>${textOf(item)}</details>`,
  tool: ({ tool }) => html`
    <${Run} name=${tool.name} what=${tool.action} run=${tool} />`,
  automation: (item) => html`<${Run} name=${item.stage} what=${TEXTS.conversation.automation} run=${item} />`,
  error: (item) => html`<b class="who">${TEXTS.conversation.error}</b><p>${item.text}</p>${item.details && html`<pre tabindex="0">${item.details}</pre>`}`,
};

/** @param {{item: Item}} props */
export function ConversationItem({ item }) {
  const body = KINDS[item.type]?.(item) ?? html`<p>${item.type}</p>`;
  return html`<li data-type=${item.type} data-role=${item.role}><time dateTime=${item.timestamp}>${clock(item.timestamp)}</time>${body}</li>`;
}

/** @param {any} item */
const textOf = ({ text, format }) => (format === 'markdown' ? html`<${Markdown} text=${text} />` : html`<p class="plain">${text}</p>`);

/** Something that ran: a tool, or a step of automation. @param {{name: string, what: string, run: any}} props */
function Run({ name, what, run }) {
  const output = [run.stdout, run.stderr].filter(Boolean).join('\n');
  return html`
    <div class="run">
      <b class="who">${name}</b> ${what && html`<span class="quiet">${what}</span>`}
      <span class="badge" data-status=${run.status}>${run.status}</span>
      ${run.durationMs !== undefined && run.durationMs !== null && html`<span class="quiet">${duration(run.durationMs)}</span>`}
      ${run.exitCode ? html`<span class="quiet">${TEXTS.conversation.exit(run.exitCode)}</span>` : null}
    </div>
    ${run.command && html`<pre class="command" tabindex="0">${run.command}</pre>`}
    ${output !== '' && html`<details><summary>${TEXTS.conversation.output}</summary><pre tabindex="0">${output}</pre></details>`}`;
}
