/** Charts by uPlot, in the colours of the theme. Each says in words what it shows. */
import uPlot from './vendor/uPlot.esm.js';
import { html, useEffect, useRef } from './preact.js';
import { theme } from './theme.js';

const HEIGHT = 190;
/** A shorter time would have an axis of milliseconds. */
const MIN_SECONDS = 60;

/** @typedef {{label: string, color: string, isBar?: boolean}} Series `color` is the name of a variable */

/**
 * `data` has the times in seconds, then one list for each of `series`.
 * @param {{title: string, text: string, series: Series[], data: number[][]}} props
 */
export function Chart({ title, text, series, data }) {
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const chart = useRef(/** @type {uPlot | null} */ (null));
  const chosen = theme.value;
  useEffect(() => {
    const node = place.current;
    if (node === null) return undefined;
    const draw = () => {
      chart.current?.destroy();
      chart.current = new uPlot(optionsOf(node, series), /** @type {any} */ (data), node);
    };
    draw();
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', draw);
    const watcher = new ResizeObserver(() => chart.current?.setSize({ width: node.clientWidth, height: HEIGHT }));
    watcher.observe(node);
    return () => {
      dark.removeEventListener('change', draw);
      watcher.disconnect();
      chart.current?.destroy();
      chart.current = null;
    };
  }, [chosen]);
  useEffect(() => chart.current?.setData(/** @type {any} */ (data)), [data]);
  const last = series.map(({ label }, index) => `${label}: ${data[index + 1]?.at(-1) ?? 0}`).join(', ');
  return html`
    <figure class="tile chart">
      <figcaption><h3>${title}</h3><p class="quiet">${text}</p></figcaption>
      <div ref=${place} role="img" aria-label=${`${title}. ${last}`}></div>
      <ul class="legend">${series.map(({ label, color }) => html`<li><i class=${`swatch ${color}`}></i>${label}</li>`)}</ul>
    </figure>`;
}

/** @param {HTMLElement} node @param {Series[]} series @returns {uPlot.Options} */
function optionsOf(node, series) {
  const [quiet, line] = [colorOf(node, 'quiet'), colorOf(node, 'line')];
  const axis = { stroke: quiet, grid: { stroke: line, width: 1 }, ticks: { show: false }, font: '12px system-ui' };
  return {
    width: node.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { drag: { x: false, y: false } },
    scales: {
      x: { range: timesOf },
      y: { range: (_, __, max) => [0, Math.max(4, Math.ceil(max * 1.15))] },
    },
    axes: [{ ...axis, grid: { show: false } }, { ...axis, size: 34, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000] }],
    series: [{}, ...series.map(({ label, color, isBar }) => {
      const stroke = colorOf(node, color);
      if (!isBar) return { label, stroke, width: 2, points: { show: isSingle, fill: stroke }, paths: uPlot.paths.stepped?.({ align: 1 }) };
      return { label, stroke, fill: stroke, width: 0, points: { show: false }, paths: uPlot.paths.bars?.({ size: [0.7, 40], radius: 0.15 }) };
    })],
  };
}

/** Whether there is one time; a line through one point cannot be seen. @param {uPlot} chart */
function isSingle({ data: [times] }) {
  return times.length === 1;
}

/**
 * The range of the times. uPlot puts a thousand days behind the time of a single value.
 * @param {uPlot} chart @param {number} first @param {number} last @returns {[number, number]}
 */
function timesOf({ data: [times] }, first, last) {
  const newest = times.at(-1) ?? last;
  return [Math.min(first, newest - MIN_SECONDS), newest];
}

/** A canvas needs a real colour, and only the style of an element says which one holds. @param {HTMLElement} node @param {string} name */
function colorOf(node, name) {
  const probe = node.appendChild(document.createElement('i'));
  probe.style.color = `var(--${name})`;
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
