/**
 * The protocol between a script and its test: settings as JSON in the first argument, reports as one JSON object per line
 * on standard output, and orders as one JSON object per line on standard input. A script ends when its input ends.
 */
import { createInterface } from 'node:readline';

export const settings = JSON.parse(process.argv[2]);

/** Send a report to the test; `at` is its kind. */
export function report(at, rest = {}) {
  process.stdout.write(`${JSON.stringify({ at, ...rest })}\n`);
}

/** Carry out orders until there are none: `handlers[order.do](order)`, one after the other. */
export async function obey(handlers) {
  for await (const line of createInterface({ input: process.stdin })) {
    const order = JSON.parse(line);
    await handlers[order.do](order);
  }
}

// Every error is reported in the same way, so that the test can show it and need not wait for its deadline.
process.on('uncaughtException', (error) => {
  report('failed', { error: String(error?.stack ?? error) });
  process.exit(1);
});
