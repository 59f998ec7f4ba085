/** Types of `boardcast.js`. docs/protocol.md describes the payloads. */

export interface Card {
  readonly id: string;
  readonly ticketKey?: string;
  readonly prUrl?: string;
  readonly disableAutoCloseOnPRMerge: boolean;
  readonly ticketType: TicketType | null;
  readonly isEnhanced: boolean;
  readonly githubIssue?: { readonly issueNumber: number; readonly url: string };
  readonly title: string;
  readonly description?: string;
  readonly dependsOn?: readonly string[];
  readonly createdAt: string;
  readonly updatedAt: string;
}

export type TicketType =
  | 'feat' | 'fix' | 'chore' | 'docs' | 'style' | 'refactor' | 'perf' | 'test' | 'build' | 'ci' | 'revert';

export interface Column {
  readonly id: string;
  readonly title: string;
  readonly cardIds: readonly string[];
}

/** A board. It never changes: a change makes another one, which shares the parts that stayed. */
export interface BoardState {
  readonly columns: Readonly<Record<string, Column>>;
  readonly columnOrder: readonly string[];
  readonly cards: Readonly<Record<string, Card>>;
}

/** One message of a stream. `payload` is that of docs/protocol.md for the `type`; there may be types that are not known yet. */
export interface StreamEvent {
  readonly type: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly payload: any;
  readonly cursor: string | null;
  /** An `attempt_status` that tells how an attempt stands, not that it has changed. */
  readonly isOpening: boolean;
}

/** Why a stream is away or has ended: a reason of a `goodbye`, or one of these. */
export type Reason =
  | 'server_shutdown' | 'connection_lifetime' | 'slow_consumer' | 'token_expired' | 'token_revoked' | 'board_deleted' | 'forbidden'
  | 'board_not_found' | 'invalid_cursor' | 'unauthenticated' | 'refused' | 'unavailable' | 'lost' | 'quiet' | 'no_token' | 'wrong_copy' | 'closed'
  | (string & {});

export type Status =
  | { readonly status: 'connecting' | 'live' }
  /** It comes back after `pauseMs` milliseconds. */
  | { readonly status: 'reconnecting'; readonly reason: Reason; readonly pauseMs: number }
  /** It does not come back. */
  | { readonly status: 'ended'; readonly reason: Reason };

export interface Options {
  /** Address of the server, with the path of a proxy if there is one. Default: the origin of the page. */
  url?: string;
  /** Default: `websocket`, or `sse` where there is no class. */
  exit?: 'websocket' | 'sse';
  /** The class of WebSockets. Default: that of the runtime. Node.js 20 has none; npm `ws` is one. */
  WebSocket?: new (url: string, protocols: string[]) => unknown;
  /** A token, or a function that gives the next one whenever it is needed. Without it the cookie of a session counts. */
  token?: string | null | (() => string | null | Promise<string | null>);
  /** The longest pause between two tries, unless the server asks for a longer one. Default: 30,000. */
  maxPauseMs?: number;
}

export interface BoardEvents {
  state: BoardState;
  event: StreamEvent;
  status: Status;
  /** The copy was compared with the hash of a heartbeat. A wrong one is loaded again. */
  checked: { readonly isRight: boolean; readonly cursor: string };
}

export interface DashboardEvents {
  overview: unknown;
  event: StreamEvent;
  status: Status;
}

export interface CommandPayloads {
  create_card: { columnId: string; title: string; description?: string | null; ticketType?: TicketType | null };
  update_card: {
    cardId: string;
    title?: string;
    description?: string | null;
    ticketType?: TicketType | null;
    isEnhanced?: boolean;
    disableAutoCloseOnPRMerge?: boolean;
  };
  move_card: { cardId: string; toColumnId: string; toIndex: number };
  delete_card: { cardId: string };
}

/** A command was refused. `code` is that of docs/protocol.md, `no_websocket`, `too_many_commands`, or why the stream has ended. */
export class CommandRefused extends Error {
  constructor(code: string, message: string);
  readonly code: string;
}

/** Follows a board, from the moment it is made until `close`, and comes back by itself. */
export class Board {
  /** It throws a `TypeError` if an option is not valid. */
  constructor(boardId: string, options?: Options);
  /** The newest state, null before the first one. */
  readonly state: BoardState | null;
  /** Return a function that takes the listener away. */
  on<T extends keyof BoardEvents>(type: T, listener: (value: BoardEvents[T]) => void): () => void;
  /**
   * Resolve when the command is done, reject with `CommandRefused`. It is sent again after a lost connection, with the same
   * `key`, and happens once. `key` is a random one by default. Only a WebSocket carries commands.
   */
  send<T extends keyof CommandPayloads>(type: T, payload: CommandPayloads[T], options?: { key?: string }): Promise<void>;
  /** End everything; no event comes afterwards. */
  close(): void;
}

/** Follows the dashboard. */
export class Dashboard {
  constructor(options?: Options);
  /** The newest overview, null before the first one. */
  readonly overview: unknown;
  on<T extends keyof DashboardEvents>(type: T, listener: (value: DashboardEvents[T]) => void): () => void;
  close(): void;
}
