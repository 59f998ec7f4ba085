/** The attempts of a card, the newest one or another one open: how it stands, its todos, its conversation, its log; queue and stop. */
import { AttemptModel } from './attempt_model.js';
import { link } from './card.js';
import { ConversationItem } from './conversation.js';
import { html, useEffect, useLayoutEffect, useMemo, useRef, useSignal } from './preact.js';
import { listAgents, queueAttempt, stopAttempt } from './rest.js';
import { TEXTS } from './texts.js';
import { clock, duration, since } from './time.js';
import { attempt as tried } from './visitor.js';
import { ACTIVE_STATUSES } from './words.js';

/** @typedef {import('./board_model.js').BoardModel} BoardModel */

/** @param {{cardId: string, prUrl?: string, model: BoardModel, mayWrite: boolean}} props */
export function AttemptView({ cardId, prUrl, model, mayWrite }) {
  const chosen = useSignal(/** @type {string | null} */ (null));
  const own = useMemo(() => new AttemptModel(model, cardId, chosen.value), [model, cardId, chosen.value]);
  useEffect(() => () => own.close(), [own]);
  const phase = own.phase.value;
  const isActive = phase === 'there' && ACTIVE_STATUSES.includes(own.attempt.value.status);
  return html`
    <section class="panel-part attempt" aria-labelledby="attempt-heading" id="attempt" data-status=${own.attempt.value?.status ?? ''}>
      <div class="part-head">
        <h4 id="attempt-heading">${chosen.value === null ? TEXTS.attempt.title : TEXTS.attempt.older}</h4>
        ${phase === 'there' && html`<span class="badge" data-status=${own.attempt.value.status}>${own.attempt.value.status}</span>`}
        ${isActive && mayWrite && html`<${Stop} boardId=${model.boardId} own=${own} />`}
      </div>
      <${Choice} attempts=${model.attempts.ofCard(cardId).value} chosen=${chosen} />
      ${phase === 'loading' && html`<div class="skeletons" aria-hidden="true"><i></i><i></i></div>`}
      ${phase === 'none' && html`<p class="quiet">${TEXTS.attempt.none}</p>`}
      ${phase === 'failed' && html`<button type="button" onClick=${() => own.load()}>${TEXTS.unreachable.again}</button>`}
      ${phase === 'there' && html`<${Facts} own=${own} prUrl=${prUrl} /><${Todos} own=${own} /><${Records} own=${own} />`}
      ${!isActive && chosen.value === null && phase !== 'loading' && mayWrite && html`<${Queue} boardId=${model.boardId} cardId=${cardId} own=${own} />`}
    </section>`;
}

/**
 * The list of the attempts, if there are several; the newest one stands first.
 * @param {{attempts: readonly import('./attempts.js').Attempt[], chosen: import('@preact/signals-core').Signal<string | null>}} props
 */
function Choice({ attempts, chosen }) {
  if (attempts.length < 2) return null;
  /** @param {number} index */
  const isOpen = (index) => (chosen.value === null ? index === 0 : attempts[index]?.attemptId === chosen.value);
  return html`
    <ol id="attempts" class="attempts" reversed aria-label=${TEXTS.attempt.all}>
      ${attempts.map(({ attemptId, status }, index) => html`
        <li key=${attemptId}>
          <button type="button" data-attempt-id=${attemptId} aria-pressed=${isOpen(index)} onClick=${() => (chosen.value = index === 0 ? null : attemptId)}>
            ${TEXTS.attempt.number(attempts.length - index)} <span class="badge" data-status=${status}>${status}</span>
          </button>
        </li>`)}
    </ol>`;
}

/** @param {{boardId: string, own: AttemptModel}} props */
function Stop({ boardId, own }) {
  const { id, status } = own.attempt.value;
  return html`<button type="button" data-action="stop-attempt" disabled=${status === 'stopping'} onClick=${() => tried(() => stopAttempt(boardId, id))}>${TEXTS.attempt.stop}</button>`;
}

/** @param {{boardId: string, cardId: string, own: AttemptModel}} props */
function Queue({ boardId, cardId, own }) {
  const agents = useSignal(/** @type {{key: string, label: string}[]} */ ([]));
  useEffect(() => {
    tried(async () => {
      agents.value = (await listAgents()).agents;
    });
  }, []);
  /** @param {SubmitEvent} event */
  const submit = async (event) => {
    event.preventDefault();
    const agent = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get('agent'));
    if (await tried(() => queueAttempt(boardId, cardId, agent))) own.load();
  };
  return html`
    <form class="queue" onSubmit=${submit}>
      <label>${TEXTS.attempt.agent} <input name="agent" required maxlength="200" autocomplete="off" list="agents" placeholder=${agents.value[0]?.key ?? ''} /></label>
      <datalist id="agents">${agents.value.map(({ key, label }) => html`<option value=${key}>${label}</option>`)}</datalist>
      <button type="submit" class="primary">${own.phase.value === 'there' ? TEXTS.attempt.queueAgain : TEXTS.attempt.queue}</button>
    </form>`;
}

/** @param {{own: AttemptModel, prUrl?: string}} props */
function Facts({ own, prUrl }) {
  const { agent, branchName, baseBranch, sessionId, startedAt, createdAt, endedAt } = own.attempt.value;
  const pr = own.pullRequest.value;
  const facts = [
    [TEXTS.attempt.agent, agent],
    [TEXTS.attempt.branch, branchName && html`<code>${branchName}</code>${baseBranch && html` <span class="quiet">← ${baseBranch}</span>`}`],
    [TEXTS.attempt.pullRequest, link(pr?.url ?? prUrl, pr ? TEXTS.attempt.pullRequestText(pr) : (prUrl ?? ''))],
    [TEXTS.attempt.started, since(startedAt ?? createdAt)],
    [TEXTS.attempt.took, startedAt && endedAt && duration(Date.parse(endedAt) - Date.parse(startedAt))],
    [TEXTS.attempt.session, sessionId && html`<code>${sessionId}</code>`],
  ].filter(([, value]) => value);
  return html`<dl class="fact-list">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** @param {{own: AttemptModel}} props */
function Todos({ own }) {
  const todos = own.todos.value;
  if (!todos || todos.total === 0) return null;
  return html`
    <div class="todos" id="todos">
      <label>${TEXTS.attempt.todos(todos.completed, todos.total)} <progress max=${todos.total} value=${todos.completed}></progress></label>
      <ul>${todos.items.map((/** @type {any} */ one) => html`<li key=${one.id} data-status=${one.status}>${one.text}</li>`)}</ul>
    </div>`;
}

/** @param {{own: AttemptModel}} props */
function Records({ own }) {
  const shown = useSignal(/** @type {'conversation' | 'log'} */ ('conversation'));
  const tabs = /** @type {const} */ ([['conversation', own.conversation.value.length], ['log', own.logs.value.length]]);
  return html`
    <div class="tabs" role="group" aria-label=${TEXTS.attempt.records}>
      ${tabs.map(([name, count]) => html`<button type="button" data-records=${name} aria-pressed=${shown.value === name} onClick=${() => (shown.value = name)}>${TEXTS.attempt[name]} <span class="count">${count}</span></button>`)}
    </div>
    ${own.isCut.value && html`<p class="quiet">${TEXTS.attempt.cut}</p>`}
    ${shown.value === 'log' ? html`<${Log} own=${own} />` : html`<${Conversation} own=${own} />`}`;
}

/** @param {{own: AttemptModel}} props */
function Log({ own }) {
  const list = useTail(own.logs.value);
  if (own.logs.value.length === 0) return html`<p class="quiet">${TEXTS.attempt.noLog}</p>`;
  return html`
    <ol id="log" class="tail" tabindex="0" aria-label=${TEXTS.attempt.log} ref=${list}>
      ${own.logs.value.map((entry) => html`<li data-level=${entry.level}><time dateTime=${entry.ts}>${clock(entry.ts)}</time> <span>${entry.message}</span></li>`)}
    </ol>`;
}

/** @param {{own: AttemptModel}} props */
function Conversation({ own }) {
  const list = useTail(own.conversation.value);
  if (own.conversation.value.length === 0) return html`<p class="quiet">${TEXTS.attempt.noConversation}</p>`;
  return html`
    <ol id="conversation" class="tail" tabindex="0" aria-label=${TEXTS.attempt.conversation} ref=${list}>
      ${own.conversation.value.map((item, index) => html`<${ConversationItem} key=${index} item=${item} />`)}
    </ol>`;
}

/** A list that shows its end as long as the reader has not scrolled up. @param {unknown} content */
function useTail(content) {
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const isAtEnd = useRef(true);
  useLayoutEffect(() => {
    const node = list.current;
    if (node === null) return undefined;
    const note = () => {
      isAtEnd.current = node.scrollHeight - node.scrollTop - node.clientHeight < 40;
    };
    node.addEventListener('scroll', note);
    return () => node.removeEventListener('scroll', note);
  });
  useLayoutEffect(() => {
    if (list.current !== null && isAtEnd.current) list.current.scrollTop = list.current.scrollHeight;
  }, [content]);
  return list;
}
