/** How long a subscription waits before it connects again; the same on every transport. */
const LONGEST_MS = 15_000;

/** Wait before connecting again for the `retries`-th time: longer each time, and never all browsers at once. */
export function pause(retries) {
  const atMost = Math.min(LONGEST_MS, 1_000 * 2 ** retries);
  return new Promise((resolve) => setTimeout(resolve, atMost * (0.5 + Math.random() / 2)));
}
