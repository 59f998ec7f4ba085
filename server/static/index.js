/**
 * The page at `/`: the list of boards, the chosen board live, what happens on it, and the
 * addresses of all exits. This file only ties the parts in page/ and common/ together.
 */
import { Board } from './boardcast.js';
import { Refused } from './common/calls.js';
import { element } from './common/element.js';
import { describeGrants, may, readSession, signOut } from './common/session.js';
import { askForToken } from './common/sign_in.js';
import { ActivityView } from './page/activity_view.js';
import { Attempts } from './page/attempts.js';
import { BoardView } from './page/board_view.js';
import { showBoards } from './page/boards_view.js';
import { showExits } from './page/exits_view.js';
import * as rest from './page/rest.js';

const byId = (id) => document.getElementById(id);
const CONNECTION_TEXTS = {
  idle: 'No board chosen',
  connecting: 'Connecting …',
  live: 'Live',
  reconnecting: 'Connection lost, reconnecting …',
  closed: 'Not connected',
};

const ENDED = 'Your session has ended. Sign in to go on.';
/** The last words of a stream whose session or token has ended. */
const SESSION_ENDS = ['token_expired', 'token_revoked'];

class Page {
  constructor() {
    /** null = not known yet, or nobody is signed in; then nothing of a board is shown. */
    this.session = null;
    this.isAsking = false;
    this.boards = [];
    this.boardId = null;
    this.stream = null;
    this.attempts = new Attempts();
    this.activity = new ActivityView(byId('activity'), byId('no-activity'));
    this.board = new BoardView(byId('board'), {
      onMove: (cardId, columnId, index) => this.attempt(() => rest.moveCard(this.boardId, cardId, columnId, index)),
      onCreate: (columnId, title) => this.attempt(() => rest.createCard(this.boardId, columnId, title)),
      statusOf: (cardId) => this.attempts.statusOfCard(cardId),
      mayWrite: () => this.may('write'),
    });
  }

  async start() {
    addEventListener('hashchange', () => this.session !== null && this.choose(boardInAddress()));
    byId('reconnect').addEventListener('click', () => this.reconnect());
    byId('create-board').addEventListener('submit', (event) => this.createBoard(event));
    byId('sign-out').addEventListener('click', () => this.leave());
    this.showConnection('idle');
    await this.checkSession('This server needs a token.');
  }

  may(action, boardId = this.boardId) {
    return this.session !== null && may(this.session, action, boardId);
  }

  /**
   * Ask the server who is signed in, and the reader for a token if nobody is. `reason` stands above the form. Afterwards
   * the boards are shown, if they were not.
   */
  async checkSession(reason = ENDED) {
    if (this.isAsking) return;
    this.isAsking = true;
    let found;
    try {
      found = (await readSession()) ?? (await this.signIn(reason));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.showError(error.message);
      this.showConnection('closed');
      return;
    } finally {
      this.isAsking = false;
    }
    const isNew = this.session === null;
    this.session = found;
    this.showSession();
    if (isNew) await this.open();
  }

  /** Take everything of the earlier session away, and resolve to the next one. */
  async signIn(reason) {
    this.session = null;
    this.boards = [];
    this.choose(null);
    this.showSession();
    const session = await askForToken(byId('sign-in'), reason);
    byId('layout').hidden = false;
    byId('board-title').focus();
    return session;
  }

  async open() {
    await this.loadBoards();
    if (this.session !== null) this.choose(boardInAddress() ?? this.boards[0]?.id ?? null);
  }

  async leave() {
    this.isAsking = true; // the goodbye of the stream may come before the answer
    let isOut;
    try {
      isOut = await this.attempt(signOut);
    } finally {
      this.isAsking = false;
    }
    if (isOut) await this.checkSession('You have signed out.');
  }

  showSession() {
    const isIn = this.session !== null;
    for (const id of ['layout', 'addresses']) byId(id).hidden = !isIn;
    // A server that needs no token has no subject, and nobody can sign out there.
    byId('session').hidden = !isIn || this.session.subject === null;
    byId('subject').textContent = this.session?.subject ?? '';
    byId('grants').textContent = isIn ? describeGrants(this.session) : '';
    byId('new-board').hidden = !this.may('admin', null);
    this.board.redraw();
  }

  /** Run a REST call; true when it succeeded. A refusal is shown to the reader. */
  async attempt(call) {
    byId('errors').replaceChildren();
    try {
      await call();
      return true;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.status === 401) this.checkSession();
      else this.showError(error.message);
      return false;
    }
  }

  async loadBoards() {
    await this.attempt(async () => {
      this.boards = await rest.listBoards();
    });
    byId('no-boards').hidden = this.boards.length > 0;
    const mayRead = this.session?.can.includes('read');
    byId('no-boards').textContent = mayRead ? 'There is no board yet.' : 'Your token may not read any board.';
    byId('new-board').open = this.boards.length === 0;
    this.markBoard();
  }

  async createBoard(event) {
    event.preventDefault();
    const form = event.target;
    const fields = new FormData(form);
    let made = null;
    await this.attempt(async () => {
      made = await rest.createBoard(fields.get('name'), fields.get('repositoryPath'));
    });
    if (made === null) return;
    form.reset();
    await this.loadBoards();
    location.hash = encodeURIComponent(made.id);
  }

  choose(boardId) {
    this.stream?.close();
    this.stream = null;
    this.boardId = boardId;
    this.attempts = new Attempts();
    this.board.clear();
    this.activity.clear();
    byId('errors').replaceChildren();
    this.markBoard();
    if (boardId === null) {
      this.showConnection('idle');
      return;
    }
    this.stream = new Board(boardId);
    this.stream.on('state', (state) => this.board.show(state));
    this.stream.on('event', ({ type, payload, isOpening }) => this.receive(type, payload, isOpening));
    this.stream.on('status', ({ status }) => this.receiveStatus(status));
  }

  /** After a stream has ended for good: perhaps the board is gone, so the list is asked for first. */
  async reconnect() {
    if (this.session === null) {
      await this.checkSession();
      return;
    }
    await this.loadBoards();
    if (this.stream !== null) this.choose(this.boardId);
  }

  receiveStatus(status) {
    this.showConnection(status === 'ended' ? 'closed' : status);
    // Perhaps the session has ended.
    if (status === 'ended') this.checkSession();
  }

  receive(type, payload, isSnapshot) {
    if (type === 'state') this.attempts.startSnapshot();
    if (type === 'attempt_started' || type === 'attempt_status') {
      this.attempts.update(payload, isSnapshot);
      this.board.redraw();
    }
    if (type === 'goodbye' && payload.reason === 'board_deleted') this.loadBoards();
    if (type === 'goodbye' && SESSION_ENDS.includes(payload.reason)) this.checkSession();
    // The cards show the statuses that the server sends after connecting; the list shows later events only.
    if (!isSnapshot) this.activity.add(type, payload, this.labelOfEvent(payload));
  }

  labelOfEvent({ cardId, attemptId }) {
    return this.board.labelOf(cardId ?? this.attempts.cardOf(attemptId));
  }

  markBoard() {
    const board = this.boards.find(({ id }) => id === this.boardId);
    const title = board?.name ?? (this.boardId === null ? 'Choose a board' : 'Unknown board');
    showBoards(byId('boards'), this.boards, this.boardId);
    const mayOpen = (need) => need === undefined || this.may(need, need === 'dashboard' ? null : this.boardId);
    showExits(byId('exits'), this.boardId, mayOpen);
    byId('board').dataset.boardId = this.boardId ?? '';
    byId('board-title').textContent = title;
    document.title = board ? `${board.name} · Boardcast` : 'Boardcast';
  }

  showConnection(state) {
    const line = byId('connection');
    line.dataset.state = state;
    line.textContent = CONNECTION_TEXTS[state];
    byId('reconnect').hidden = state !== 'closed';
  }

  showError(message) {
    const close = element('button', { type: 'button', 'aria-label': 'Dismiss', onclick: () => byId('errors').replaceChildren() }, '×');
    byId('errors').replaceChildren(element('p', { class: 'error' }, message, close));
  }
}

function boardInAddress() {
  const hash = location.hash.slice(1);
  try {
    return hash === '' ? null : decodeURIComponent(hash);
  } catch {
    return hash; // not percent-encoded: somebody typed it
  }
}

await new Page().start();
