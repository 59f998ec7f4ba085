/** The theme: that of the system, or the one that the reader has chosen. */
import { html, signal } from './preact.js';
import { TEXTS } from './texts.js';

const KEY = 'boardcast:theme';
const ORDER = /** @type {const} */ (['system', 'light', 'dark']);
const SIGNS = { system: '◐', light: '☀', dark: '☾' };

/** Also tells charts, which draw with colours of the theme, when to draw again. */
export const theme = signal(/** @type {'system' | 'light' | 'dark'} */ (chosen()));

function chosen() {
  const there = document.documentElement.dataset.theme;
  return there === 'light' || there === 'dark' ? there : 'system';
}

function next() {
  const following = ORDER[(ORDER.indexOf(theme.value) + 1) % ORDER.length] ?? 'system';
  if (following === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = following;
  try {
    localStorage.setItem(KEY, following);
  } catch {
    // No storage: the choice holds until the page is closed.
  }
  theme.value = following;
}

export function ThemeSwitch() {
  const label = TEXTS.theme[theme.value];
  return html`<button type="button" id="theme" class="icon" title=${label} aria-label=${label} onClick=${next}>${SIGNS[theme.value]}</button>`;
}
