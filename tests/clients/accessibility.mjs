/** What axe-core finds in a page, in three sizes, light and dark. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { report } from './lines.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
export const SIZES = { desktop: { width: 1400, height: 900 }, tablet: { width: 900, height: 1100 }, phone: { width: 390, height: 844 } };

const LOOKS = [['desktop', 'light'], ['desktop', 'dark'], ['tablet', 'dark'], ['phone', 'light']];

/** Report the violations of each look (`access`), and the end (`checked`). */
export async function checkAccess(page) {
  for (const [size, colorScheme] of LOOKS) {
    await page.setViewportSize(SIZES[size]);
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    // The new colours are there with the next frame.
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    report('access', { size, colorScheme, violations: await violations(page) });
  }
  await page.setViewportSize(SIZES.desktop);
  report('checked');
}

async function violations(page) {
  await page.evaluate(AXE);
  const { violations: found } = await page.evaluate(() => globalThis.axe.run());
  return found.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.any[0]?.message ?? ''}`).join(' | ')}`);
}
