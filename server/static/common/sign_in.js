/** The form that asks for a token. */
import { Refused } from './calls.js';
import { element } from './element.js';
import { signIn } from './session.js';

/**
 * Show the form in `place`, with `reason` above it, until the server takes a token; resolve to the session. The token is in
 * the field only, and the field goes with the form.
 * @param {HTMLElement} place
 * @param {string} reason
 * @returns {Promise<import('./session.js').Session>}
 */
export function askForToken(place, reason) {
  return new Promise((resolve) => {
    const refusal = element('p', { id: 'sign-in-error', role: 'alert' });
    const field = /** @type {HTMLInputElement} */ (element('input', {
      name: 'token', type: 'password', required: true, autocomplete: 'off', spellcheck: 'false', 'aria-describedby': 'sign-in-error',
    }));
    const button = /** @type {HTMLButtonElement} */ (element('button', { type: 'submit', class: 'primary' }, 'Sign in'));
    // By POST, so that no address ever has the token, even if the browser itself sends the form.
    const form = element('form', { id: 'sign-in-form', method: 'post' }, element('label', {}, 'Token ', field), button, refusal);
    form.addEventListener('submit', async (/** @type {Event} */ event) => {
      event.preventDefault();
      const session = await tried(field, button, refusal);
      if (session === null) return;
      place.hidden = true;
      place.replaceChildren();
      resolve(session);
    });
    place.replaceChildren(
      element('h2', {}, 'Sign in'),
      element('p', { id: 'sign-in-reason', role: 'status' }, reason),
      form,
    );
    place.hidden = false;
    field.focus();
  });
}

/**
 * Resolve to the session, or to null after a refusal, which is shown.
 * @param {HTMLInputElement} field
 * @param {HTMLButtonElement} button
 * @param {HTMLElement} refusal
 */
async function tried(field, button, refusal) {
  refusal.textContent = '';
  button.disabled = true;
  try {
    return await signIn(field.value);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    refusal.textContent = error.message;
    field.value = '';
    return null;
  } finally {
    button.disabled = false;
    field.focus();
  }
}
