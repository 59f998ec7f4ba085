/** The board in the address, as a live model. */
import { BoardModel } from './board_model.js';
import { boards, loadBoards } from './boards.js';
import { clearErrors } from './notices.js';
import { effect, signal } from './preact.js';
import { boardInAddress, view } from './route.js';
import { checkSession, isSignedIn, session } from './visitor.js';

/** Why a stream has ended that asks for another session. */
const SESSION_ENDS = ['token_expired', 'token_revoked'];

export const current = signal(/** @type {BoardModel | null} */ (null));
/** Counts the wishes to connect again. */
const tries = signal(0);

/** Follow the board in the address as long as somebody is signed in. */
export function followCurrentBoard() {
  return effect(() => {
    void tries.value;
    const boardId = view === 'board' && isSignedIn.value ? boardInAddress.value : null;
    if (boardId === null) return undefined;
    clearErrors();
    const model = new BoardModel(boardId);
    const stopListening = model.onEvent(({ type, payload }) => {
      if (type !== 'goodbye') return;
      if (payload.reason === 'board_deleted') loadBoards();
      if (SESSION_ENDS.includes(payload.reason)) checkSession();
    });
    const stopWatching = effect(() => {
      // Perhaps the session has ended.
      if (model.status.value.status === 'ended') checkSession();
    });
    current.value = model;
    return () => {
      stopListening();
      stopWatching();
      model.close();
      current.value = null;
    };
  });
}

/** After a stream has ended for good: perhaps the board is gone, so the list is asked for first. */
export async function reconnect() {
  if (session.value === null) {
    await checkSession();
    return;
  }
  await loadBoards();
  tries.value += 1;
}

/** The project of the board in the address, undefined if it is not in the list. */
export const projectInAddress = () => boards.value?.find(({ id }) => id === boardInAddress.value);
