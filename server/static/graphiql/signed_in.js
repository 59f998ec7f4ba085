/** Who is signed in at GraphiQL: asks for a token when the server needs one and there is no session. */
import { readSession, signOut } from '../common/session.js';
import { askForToken } from '../common/sign_in.js';

const ENDED = 'Your session has ended. Sign in to go on.';

export class SignedIn {
  #place;
  #content;
  #listeners = new Set();
  #isAsking = false;

  /** The form is shown in `place`, and `content` is hidden meanwhile. */
  constructor(place, content) {
    this.#place = place;
    this.#content = content;
    /** null = not known yet, or nobody is signed in. */
    this.session = null;
  }

  /** Call `listener` after each change of `session`; returns what ends that. */
  listen = (listener) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Ask the server who is signed in, and the reader for a token if nobody is; `reason` stands above the form. */
  async check(reason = ENDED) {
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      this.#set((await readSession()) ?? (await this.#signIn(reason)));
    } catch {
      // The server does not answer: GraphiQL itself shows that, with the next operation.
    } finally {
      this.#isAsking = false;
    }
  }

  /** Sign out, and open the page anew: nothing of what was read here may be left for the next reader. */
  async leave() {
    this.#isAsking = true; // the page ends; its subscriptions end first
    try {
      await signOut();
      location.reload();
    } finally {
      this.#isAsking = false;
    }
  }

  async #signIn(reason) {
    this.#content.hidden = true;
    const session = await askForToken(this.#place, reason);
    const before = this.session?.subject ?? session.subject;
    if (before !== session.subject) location.reload(); // somebody else
    this.#content.hidden = false;
    return session;
  }

  #set(session) {
    this.session = session;
    for (const listener of this.#listeners) listener();
  }
}
