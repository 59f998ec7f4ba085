/**
 * How a script talks with the test that started it: settings as JSON in the first argument, one JSON object a line
 * on standard output, and orders, one JSON object a line, on standard input. It ends when its input ends.
 */
import { createInterface } from 'node:readline';

export const settings = JSON.parse(process.argv[2]);

/** Tell the test something; `at` names what it is. */
export function tell(at, rest = {}) {
  process.stdout.write(`${JSON.stringify({ at, ...rest })}\n`);
}

/** Carry out orders until there are none: `handlers[order.do](order)`, one after the other. */
export async function obey(handlers) {
  for await (const line of createInterface({ input: process.stdin })) {
    const order = JSON.parse(line);
    await handlers[order.do](order);
  }
}

// Whatever goes wrong is told in the same way, so that the test can say it instead of running into its deadline.
process.on('uncaughtException', (error) => {
  tell('failed', { error: String(error?.stack ?? error) });
  process.exit(1);
});
