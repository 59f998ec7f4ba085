/** The page at `/` in Chromium, beyond what it shows of a board: search, shortcuts, boards, phones, many cards, accessibility. */
import { checkAccess, SIZES } from './accessibility.mjs';
import { withPage } from './browser.mjs';
import { drag } from './dragging.mjs';
import { obey, settings, report } from './lines.mjs';

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
    checkAccess: () => checkAccess(page),
    screenshot: ({ path }) => page.screenshot({ path }),
  });
});
