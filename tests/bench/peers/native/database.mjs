// The database of the peers that store: better-sqlite3 as in its documentation, with the same rows, indexes and durability
// as Boardcast. Each request has a transaction of its own. The file is the first argument of the program.
import Database from "better-sqlite3";

const database = new Database(process.argv[2]);
database.pragma("journal_mode = WAL");
database.pragma("synchronous = NORMAL");
database.exec(`
  CREATE TABLE events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT, "offset" INTEGER, global_offset INTEGER, name TEXT,
    payload TEXT, changes TEXT, at INTEGER, recorded_at INTEGER, superseded INTEGER
  );
  CREATE UNIQUE INDEX place ON events (channel, "offset");
  CREATE TABLE logs (
    board_id TEXT, attempt_id TEXT, "offset" INTEGER, ts INTEGER, level TEXT, message TEXT,
    PRIMARY KEY (board_id, attempt_id, "offset")
  );
  CREATE TABLE cards (
    board_id TEXT, id TEXT, column_id TEXT, title TEXT, description TEXT, updated_at INTEGER, PRIMARY KEY (board_id, id)
  );
  CREATE TABLE channels (channel TEXT PRIMARY KEY, "offset" INTEGER);
`);

const addChannel = database.prepare("INSERT INTO channels VALUES (?, 0) ON CONFLICT DO NOTHING");
const nextOffset = database
  .prepare('UPDATE channels SET "offset" = "offset" + 1 WHERE channel = ? RETURNING "offset"')
  .pluck();
const addEvent = database.prepare(
  'INSERT INTO events (channel, "offset", global_offset, name, payload, changes, at, recorded_at, superseded)' +
    " VALUES (?, ?, 0, ?, ?, ?, ?, ?, 0)",
);
const addLog = database.prepare("INSERT INTO logs VALUES (?, ?, ?, ?, ?, ?)");
const addCard = database.prepare("INSERT INTO cards VALUES (?, ?, ?, ?, ?, ?)");
const setTitle = database
  .prepare("UPDATE cards SET title = ?, updated_at = ? WHERE board_id = ? AND id = ? RETURNING *");

function store(channel, name, payload, changes, now) {
  const offset = nextOffset.get(channel);
  addEvent.run(channel, offset, name, JSON.stringify(payload), changes, now, now);
  return offset;
}

function take({ name, payload }) {
  const now = Date.now();
  const board = payload.boardId ?? payload.projectId;
  if (name === "project.created") addChannel.run(board);
  const offset = store(board, name, payload, null, now);
  if (name === "attempt.log.appended") {
    addLog.run(board, payload.attemptId, offset, Date.parse(payload.ts), payload.level, payload.message);
  } else if (name === "board.state.changed") {
    for (const column of Object.values(payload.state.columns)) {
      for (const id of column.cardIds) {
        const { title, description } = payload.state.cards[id];
        addCard.run(board, id, column.id, title, description, now);
      }
    }
  }
  return { board, name, payload, cursor: `00000000-00000000-${offset}-0` };
}

export const takeAll = database.transaction((events) => events.map(take));

export const rename = database.transaction((board, id, title) => {
  const now = Date.now();
  const card = setTitle.get(title, now, board, id);
  const change = JSON.stringify([{ kind: "card_updated", cardId: id, title }]);
  return { card, offset: store(board, "card.updated", { boardId: board, cardId: id, title }, change, now) };
});
