/** Drags a card as a hand does it, in steps, and waits for the place that the page shows. */

/** Return how long the page took until it showed the place, and until the card was there after the drop, in milliseconds. */
export async function drag(page, from, to, { isTouch = false } = {}) {
  const hand = isTouch ? await finger(page) : mouse(page);
  const start = middleOf(await page.locator(from).boundingBox());
  const target = await page.locator(to).boundingBox();
  const end = { x: Math.min(target.x + target.width / 2, page.viewportSize().width - 8), y: target.y + 30 };
  await hand.down(start);
  if (isTouch) await page.locator('.sortable-chosen').waitFor();
  await hand.move({ x: start.x + 12, y: start.y + 4 });
  await page.locator('.card.place').waitFor();
  const placed = await timed(page, 'pointermove', to, '.card.place', async () => {
    await hand.move({ x: (start.x + end.x) / 2, y: end.y });
    await hand.move({ x: end.x, y: end.y + 6 });
    await hand.move(end);
  });
  const dropped = await timed(page, 'pointerup', to, `${from}:not(.place)`, () => hand.up(end));
  await page.locator('.card.place').waitFor({ state: 'detached' });
  return { placed, dropped };
}

/** Act, and return the time from the first event of `type` inside of `place` until `wanted` is drawn there. */
async function timed(page, type, place, wanted, act) {
  await page.evaluate(([name, outer, inner]) => {
    const box = document.querySelector(outer).getBoundingClientRect();
    let since = null;
    const note = ({ clientX }) => {
      if (since === null && clientX >= box.left && clientX <= box.right) since = performance.now();
    };
    addEventListener(name, note, true);
    globalThis.timing = new Promise((resolve) => {
      const look = () => {
        if (since === null || document.querySelector(outer).querySelector(inner) === null) requestAnimationFrame(look);
        else resolve(Math.round(performance.now() - since));
      };
      look();
    });
  }, [type, place, wanted]);
  await act();
  return page.evaluate(() => globalThis.timing);
}

const middleOf = ({ x, y, width, height }) => ({ x: x + width / 2, y: y + height / 2 });

const mouse = (page) => ({
  down: async ({ x, y }) => {
    await page.mouse.move(x, y);
    await page.mouse.down();
  },
  move: ({ x, y }) => page.mouse.move(x, y, { steps: 4 }),
  up: () => page.mouse.up(),
});

async function finger(page) {
  const session = await page.context().newCDPSession(page);
  const touch = (type, points) => session.send('Input.dispatchTouchEvent', { type, touchPoints: points });
  return {
    down: (point) => touch('touchStart', [point]),
    move: (point) => touch('touchMove', [point]),
    up: () => touch('touchEnd', []),
  };
}
