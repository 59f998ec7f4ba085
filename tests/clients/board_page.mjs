/** The page at `/` in Chromium, beyond what it shows of a board: search, shortcuts, boards, phones, many cards, accessibility. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { drag } from './dragging.mjs';
import { withPage } from './browser.mjs';
import { obey, settings, report } from './lines.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SIZES = { desktop: { width: 1400, height: 900 }, tablet: { width: 900, height: 1100 }, phone: { width: 390, height: 844 } };

const cardOf = (cardId) => `[data-card-id="${cardId}"]`;
const listOf = (columnId) => `[data-column-id="${columnId}"] .cards`;

await withPage(async (firstPage, newContext) => {
  let page = firstPage;
  const dialog = () => page.locator('dialog[open]');
  await obey({
    open: async ({ path, size = 'desktop', isTouch = false, waitFor = '#connection[data-state="live"]' }) => {
      if (isTouch) page = await (await newContext({ hasTouch: true, isMobile: true, viewport: SIZES[size] })).newPage();
      await page.setViewportSize(SIZES[size]);
      await page.goto(settings.url + path);
      await page.waitForSelector(waitFor);
      report('opened');
    },
    press: async ({ keys }) => {
      for (const key of keys) await page.keyboard.press(key);
    },
    type: ({ text }) => page.keyboard.type(text),
    click: ({ selector }) => page.click(selector),
    fill: ({ selector, text }) => page.fill(selector, text),
    select: ({ selector, value }) => page.selectOption(selector, value),
    /** Wait until exactly these texts are visible at the selector. */
    expectTexts: async ({ selector, texts }) => {
      await page.waitForFunction(
        ([place, wanted]) => JSON.stringify([...document.querySelectorAll(place)].map((node) => node.textContent.trim())) === wanted,
        [selector, JSON.stringify(texts)],
      );
      report('texts', { texts });
    },
    expect: async ({ selector, text = '', state = 'visible' }) => {
      await page.locator(selector).filter({ hasText: text }).first().waitFor({ state });
      report('there', { selector });
    },
    read: async ({ selector }) => report('read', { text: await page.locator(selector).first().innerText() }),
    fillDialog: async ({ fields, button }) => {
      for (const [label, text] of Object.entries(fields)) await dialog().getByLabel(label).fill(text);
      await dialog().getByRole('button', { name: button }).click();
      await dialog().waitFor({ state: 'detached' });
    },
    drag: async ({ cardId, columnId }) => {
      report('dragged', await drag(page, cardOf(cardId), listOf(columnId)));
    },
    touchDrag: async ({ cardId, columnId }) => {
      report('dragged', await drag(page, cardOf(cardId), listOf(columnId), { isTouch: true }));
    },
    /** How the columns lie on the screen, and whether the page itself scrolls. */
    readLayout: async () =>
      report('layout', await page.evaluate(() => ({
        snaps: getComputedStyle(document.querySelector('.columns')).scrollSnapType,
        widths: [...document.querySelectorAll('.column')].map((one) => Math.round(one.getBoundingClientRect().width)),
        screen: innerWidth,
        overflow: document.documentElement.scrollWidth - innerWidth,
        height: document.documentElement.scrollHeight - innerHeight,
        scrolling: [...document.querySelectorAll('.cards')].filter((one) => one.scrollHeight > one.clientHeight).length,
      }))),
    /** Violations that axe-core finds in each size, light and dark. */
    checkAccess: async ({ name }) => {
      for (const [size, viewport] of Object.entries(SIZES)) {
        await page.setViewportSize(viewport);
        for (const colorScheme of ['light', 'dark']) {
          await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
          // The new colours are there with the next frame.
          await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
          report('access', { name, size, colorScheme, violations: await violations(page) });
        }
      }
      report('checked', { name });
    },
    screenshot: ({ path }) => page.screenshot({ path }),
  });
});

async function violations(page) {
  await page.evaluate(AXE);
  const { violations: found } = await page.evaluate(() => globalThis.axe.run());
  return found.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.any[0]?.message ?? ''}`).join(' | ')}`);
}
