/**
 * The page at `/`: the list of boards, the chosen board live by EventSource, what happens on it, and the
 * addresses of all exits. This file only ties the parts in page/ together.
 */
import { ActivityView } from './page/activity_view.js';
import { Attempts } from './page/attempts.js';
import { BoardStream } from './page/board_stream.js';
import { BoardView } from './page/board_view.js';
import { showBoards } from './page/boards_view.js';
import { element } from './page/element.js';
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

class Page {
  constructor() {
    this.boards = [];
    this.boardId = null;
    this.stream = null;
    this.attempts = new Attempts();
    this.activity = new ActivityView(byId('activity'), byId('no-activity'));
    this.board = new BoardView(byId('board'), {
      onMove: (cardId, columnId, index) => this.attempt(() => rest.moveCard(this.boardId, cardId, columnId, index)),
      onCreate: (columnId, title) => this.attempt(() => rest.createCard(this.boardId, columnId, title)),
      statusOf: (cardId) => this.attempts.statusOfCard(cardId),
    });
  }

  async start() {
    addEventListener('hashchange', () => this.choose(boardInAddress()));
    byId('reconnect').addEventListener('click', () => this.reconnect());
    byId('create-board').addEventListener('submit', (event) => this.createBoard(event));
    this.showConnection('idle');
    await this.loadBoards();
    this.choose(boardInAddress() ?? this.boards[0]?.id ?? null);
  }

  /** Run a REST call; true when it succeeded. A refusal is shown to the reader. */
  async attempt(call) {
    byId('errors').replaceChildren();
    try {
      await call();
      return true;
    } catch (error) {
      if (!(error instanceof rest.Refused)) throw error;
      this.showError(error.message);
      return false;
    }
  }

  async loadBoards() {
    await this.attempt(async () => {
      this.boards = await rest.listBoards();
    });
    byId('no-boards').hidden = this.boards.length > 0;
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
    this.stream = new BoardStream(boardId, {
      onEvent: (type, payload, isSnapshot) => this.receive(type, payload, isSnapshot),
      onState: (state) => this.showConnection(state),
    });
    this.stream.open();
  }

  /** After EventSource has given up: perhaps the board is gone, so the list is asked for first. */
  async reconnect() {
    await this.loadBoards();
    this.stream?.open();
  }

  receive(type, payload, isSnapshot) {
    if (type === 'hello') this.attempts.startSnapshot();
    if (type === 'state') this.board.show(payload);
    if (type === 'attempt_started' || type === 'attempt_status') {
      this.attempts.update(payload, isSnapshot);
      this.board.redraw();
    }
    if (type === 'goodbye' && payload.reason === 'board_deleted') this.loadBoards();
    // What the server tells about the past on connecting is on the cards; the list is for what happens from now on.
    if (!isSnapshot) this.activity.add(type, payload, this.labelOfEvent(payload));
  }

  labelOfEvent({ cardId, attemptId }) {
    return this.board.labelOf(cardId ?? this.attempts.cardOf(attemptId));
  }

  markBoard() {
    const board = this.boards.find(({ id }) => id === this.boardId);
    const title = board?.name ?? (this.boardId === null ? 'Choose a board' : 'Unknown board');
    showBoards(byId('boards'), this.boards, this.boardId);
    showExits(byId('exits'), this.boardId);
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
