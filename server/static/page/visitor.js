/** The reader of the page: the session, what it allows, signing in and out. */
import { Refused } from '../common/calls.js';
import { may as allows, readSession, signOut as endSession } from '../common/session.js';
import { askForToken } from '../common/sign_in.js';
import { batch, computed, signal } from './preact.js';
import { clearErrors, showError } from './notices.js';
import { TEXTS } from './texts.js';

/** @typedef {import('../common/session.js').Session} Session */

/** null = not known yet, or nobody is signed in; then nothing of a board is shown. @type {import('@preact/signals-core').Signal<Session | null>} */
export const session = signal(/** @type {Session | null} */ (null));
/** A check may renew the session; what depends on this stays as it is. */
export const isSignedIn = computed(() => session.value !== null);
/** Whether the server did not say who is signed in. */
export const isUnreachable = signal(false);

let isAsking = false;

/**
 * Whether the reader may do this on a board; null = on all boards.
 * @param {string} action
 * @param {string | null} boardId
 */
export const may = (action, boardId) => session.value !== null && allows(session.value, action, boardId);

/** Ask the server who is signed in, and the reader for a token if nobody is. @param {string} reason stands above the form */
export async function checkSession(reason = TEXTS.session.ended) {
  if (isAsking) return;
  isAsking = true;
  try {
    const found = (await readSession()) ?? (await ask(reason));
    batch(() => {
      session.value = found;
      isUnreachable.value = false;
    });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    isUnreachable.value = true;
    showError(error.message);
  } finally {
    isAsking = false;
  }
}

/** Take everything of the earlier session away, and resolve to the next one. @param {string} reason */
function ask(reason) {
  session.value = null;
  return askForToken(/** @type {HTMLElement} */ (document.getElementById('sign-in')), reason);
}

export async function signOut() {
  isAsking = true; // the goodbye of the stream may come before the answer
  const isOut = await attempt(endSession).finally(() => {
    isAsking = false;
  });
  if (isOut) await checkSession(TEXTS.session.left);
}

/**
 * Run a REST call; true when it succeeded. The reader sees a refusal. `isRepeated`: the page asks again by itself, so the reader need not
 * know that the server is away; the head of the page says it.
 * @param {() => Promise<unknown>} call
 */
export async function attempt(call, { isRepeated = false } = {}) {
  if (!isRepeated) clearErrors();
  try {
    await call();
    return true;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.status === 401) checkSession();
    else if (!isRepeated || (error.status >= 400 && error.status < 500)) showError(error.message);
    return false;
  }
}
