/** A form that publishes an event, as a program outside would. */
import { showDone, showError } from './notices.js';
import { html, useSignal } from './preact.js';
import { publishEvent } from './rest.js';
import { TEXTS } from './texts.js';
import { attempt } from './visitor.js';

const { inspector: WORDS } = TEXTS;
const SAMPLES = [
  'attempt.queued', 'attempt.started', 'attempt.status.changed', 'attempt.completed', 'attempt.stopped', 'attempt.log.appended',
  'attempt.conversation.appended', 'attempt.todos.updated', 'attempt.session.recorded', 'git.status.changed', 'git.commit.created',
  'git.push.completed', 'github.pr.created', 'board.state.changed', 'project.updated',
];

/** @param {{boardId: string}} props */
export function PublishForm({ boardId }) {
  const isBusy = useSignal(false);
  const example = JSON.stringify({ boardId, attemptId: 'att-1', level: 'info', message: 'Hello from the inspector' }, null, 2);
  /** @param {SubmitEvent} event */
  const submit = async (event) => {
    event.preventDefault();
    const fields = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const payload = parsed(String(fields.get('payload')));
    if (payload === undefined) return;
    isBusy.value = true;
    await attempt(async () => {
      const { accepted } = await publishEvent(String(fields.get('name')), payload);
      showDone(WORDS.accepted(accepted[0]?.cursor ?? ''));
    });
    isBusy.value = false;
  };
  return html`
    <section class="tile" aria-labelledby="publish-heading">
      <h3 id="publish-heading">${WORDS.publish}</h3>
      <form id="publish" class="fields" onSubmit=${submit}>
        <label>${WORDS.name}<input name="name" required maxlength="200" autocomplete="off" list="event-names" defaultValue="attempt.log.appended" /></label>
        <datalist id="event-names">${SAMPLES.map((name) => html`<option value=${name}></option>`)}</datalist>
        <label>${WORDS.payload}<textarea name="payload" rows="7" required spellcheck=${false} defaultValue=${example}></textarea></label>
        <div class="actions"><button type="submit" class="primary" disabled=${isBusy.value}>${WORDS.submit}</button></div>
      </form>
    </section>`;
}

/** The payload, undefined if the text is no JSON, which the reader is told. @param {string} text @returns {unknown} */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    showError(`${WORDS.payload}: ${error instanceof Error ? error.message : ''}`);
    return undefined;
  }
}
