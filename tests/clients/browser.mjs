/** Starts Chromium for a script, and records every address that a page requests. */
import { chromium } from 'playwright-core';
import { settings, report } from './lines.mjs';

const ARGUMENTS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

const RULES = (settings.names ?? []).map((name) => `MAP ${name} 127.0.0.1`).join(', ');

/**
 * Run `visit(page, newContext)` in a new browser profile, then report the addresses that its pages requested (`requests`) and their
 * errors (`faults`: uncaught errors, and violations of the Content-Security-Policy). `settings.names` are names of hosts
 * that lead to this machine. `newContext(options)` makes another
 * profile, for instance one with a touch screen.
 */
export async function withPage(visit) {
  const browser = await chromium.launch({ executablePath: settings.chromium, args: [...ARGUMENTS, `--host-resolver-rules=${RULES}`] });
  try {
    const seen = { requests: new Set(), faults: [] };
    const newContext = async (options) => {
      const context = await browser.newContext(options);
      context.setDefaultTimeout(settings.timeoutMs);
      context.on('page', (page) => watch(page, seen));
      return context;
    };
    const context = await newContext({ viewport: { width: 1400, height: 900 } });
    await visit(await context.newPage(), newContext);
    report('visited', { requests: [...seen.requests], faults: seen.faults });
  } finally {
    await browser.close();
  }
}

function watch(page, seen) {
  page.on('request', (request) => seen.requests.add(request.url()));
  page.on('websocket', (socket) => seen.requests.add(socket.url()));
  page.on('pageerror', (error) => seen.faults.push(String(error)));
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) seen.faults.push(message.text());
  });
}
