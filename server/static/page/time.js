/** Times and durations as a reader likes them. */

const UNITS = /** @type {const} */ ([['day', 86_400], ['hour', 3_600], ['minute', 60]]);
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** The time of the day. @param {string} instant */
export const clock = (instant) => new Date(instant).toLocaleTimeString();

/** How long ago, in the largest unit that fits. @param {string} instant */
export function since(instant) {
  const seconds = (Date.now() - Date.parse(instant)) / 1000;
  for (const [unit, length] of UNITS) if (seconds >= length) return relative.format(-Math.floor(seconds / length), unit);
  return relative.format(0, 'second');
}

/** @param {number} ms */
export function duration(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}
