/** The overview of the chosen time range. The stream has that of the last 7 days; for others it tells when to ask again. */
import { overview as liveOverview } from './boards.js';
import { effect, signal } from './preact.js';
import { readDashboard } from './rest.js';
import { attempt } from './visitor.js';

/** @typedef {'last_24h' | 'last_7d' | 'last_30d' | 'last_90d' | 'all_time'} Range */

const LIVE_RANGE = 'last_7d';
const MIN_PAUSE_MS = 1000;
/** Points of the live chart that are kept. */
const SAMPLES_KEPT = 600;

export class DashboardModel {
  range = signal(/** @type {Range} */ (LIVE_RANGE));
  overview = signal(/** @type {any} */ (null));
  /** Seconds since 1970, active attempts, open cards. */
  samples = signal(/** @type {[number[], number[], number[]]} */ ([[], [], []]));
  #askedAt = 0;
  #timer = 0;

  /** Return a function that ends this. */
  follow() {
    const stops = [
      effect(() => this.#take(liveOverview.value, this.range.value)),
      effect(() => this.#sample(liveOverview.value)),
    ];
    return () => {
      clearTimeout(this.#timer);
      for (const stop of stops) stop();
    };
  }

  /** @param {any} live @param {Range} range */
  #take(live, range) {
    if (range === LIVE_RANGE) {
      if (live !== null) this.overview.value = live;
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(range), Math.max(0, this.#askedAt + MIN_PAUSE_MS - Date.now()));
  }

  /** @param {Range} range */
  async #ask(range) {
    this.#askedAt = Date.now();
    await attempt(async () => {
      const found = await readDashboard(range);
      if (this.range.value === range) this.overview.value = found;
    }, { isRepeated: this.overview.value !== null });
  }

  /** @param {any} live */
  #sample(live) {
    if (live === null) return;
    const { byKey } = live.metrics;
    const point = [Date.parse(live.generatedAt) / 1000, byKey['attempts.active'].total, byKey['cards.open'].total];
    const [times, active, open] = this.samples.peek();
    if (point[0] <= (times.at(-1) ?? 0)) return;
    const added = [times, active, open].map((list, place) => [...list, point[place]].slice(-SAMPLES_KEPT));
    this.samples.value = /** @type {[number[], number[], number[]]} */ (added);
  }
}
