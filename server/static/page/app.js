/** The frame of all pages, and the page that the address names. */
import { BoardPage } from './board_page.js';
import { followBoards } from './boards.js';
import { DashboardPage } from './dashboard_page.js';
import { openDialogs } from './dialog.js';
import { InspectorPage } from './inspector_page.js';
import { Notices } from './notices.js';
import { html, useEffect } from './preact.js';
import { view } from './route.js';
import { Header } from './header.js';
import { TEXTS } from './texts.js';
import { checkSession, isUnreachable, session } from './visitor.js';

export function App() {
  useEffect(followBoards, []);
  return html`
    ${session.value !== null && html`<a class="skip" href="#content" onClick=${skip}>${TEXTS.skip}</a>`}
    <${Header} />
    ${openDialogs.value === 0 && html`<${Notices} />`}
    ${session.value === null ? isUnreachable.value && html`<${Unreachable} />` : html`<${View} />`}`;
}

function View() {
  const Page = { board: BoardPage, dashboard: DashboardPage, inspector: InspectorPage }[view];
  return html`<${Page} />`;
}

function Unreachable() {
  return html`
    <main id="content" class="blank" tabindex="-1">
      <h2>${TEXTS.unreachable.title}</h2>
      <button type="button" class="primary" onClick=${() => checkSession()}>${TEXTS.unreachable.again}</button>
    </main>`;
}

/** The fragment of the address names the board, so the link must not change it. @param {Event} event */
function skip(event) {
  event.preventDefault();
  document.getElementById('content')?.focus();
}
