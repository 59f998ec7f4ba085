/** Uses our client module by its types. The compiler checks each name below, and that each mistake is one. */
import { Board, CommandRefused, Dashboard } from './boardcast.js';
import type { BoardState, Status } from './boardcast.js';

const [url, boardId] = process.argv.slice(2) as [string, string];

const board = new Board(boardId, { url, exit: 'sse', token: async () => null });
const seen: string[] = [];
board.on('status', (value: Status) => {
  seen.push(value.status);
  // @ts-expect-error: a live stream has no reason
  if (value.status === 'live') String(value.reason);
  if (value.status === 'reconnecting') value.pauseMs.toFixed();
});
// @ts-expect-error: no event has this name
board.on('states', () => {});
const state = await new Promise<BoardState>((resolve) => board.on('state', resolve));
/** Nobody calls it: the compiler alone refuses the change of a state. */
export function change() {
  // @ts-expect-error: the parts of a state are read only
  state.cards = {};
}
const titles = state.columnOrder.flatMap((id) => state.columns[id]?.cardIds.map((card) => state.cards[card]?.title) ?? []);
// @ts-expect-error: a card is moved to a place
const moved = board.send('move_card', { cardId: 'card-1' });
const code = await moved.then(() => '', (error: unknown) => (error instanceof CommandRefused ? error.code : 'another'));
const dashboard = new Dashboard({ url });
const overview = await new Promise<unknown>((resolve) => dashboard.on('overview', resolve));
dashboard.close();
board.close();
console.log(JSON.stringify({ titles, code, seen, hasOverview: overview === dashboard.overview }));
