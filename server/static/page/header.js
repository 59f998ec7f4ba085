/** The head of every page: its name, the other pages, the connection, the theme and the session. */
import { describeGrants } from '../common/session.js';
import { current, reconnect } from './current_board.js';
import { dashboardStatus } from './boards.js';
import { html } from './preact.js';
import { boardInAddress, pathOf, view } from './route.js';
import { TEXTS } from './texts.js';
import { ThemeSwitch } from './theme.js';
import { may, session, signOut } from './visitor.js';

export function Header() {
  return html`
    <header class="top">
      <h1><a href=${pathOf.boards}><img src="/static/icon.svg" alt="" width="26" height="26" /><span>${TEXTS.name}</span></a></h1>
      <${Pages} />
      <${Connection} />
      <div class="tools"><${Visitor} /><${ThemeSwitch} /></div>
    </header>`;
}

function Pages() {
  const pages = [
    { id: 'board', name: TEXTS.nav.boards, href: pathOf.boards, isOpen: true },
    { id: 'dashboard', name: TEXTS.nav.dashboard, href: pathOf.dashboard, isOpen: may('dashboard', null) },
    { id: 'inspector', name: TEXTS.nav.inspector, href: pathOf.inspector, isOpen: may('admin', null) },
    { id: 'graphiql', name: TEXTS.nav.graphiql, href: '/graphql', isOpen: true },
    { id: 'docs', name: TEXTS.nav.docs, href: '/docs', isOpen: true },
  ];
  return html`
    <nav class="pages" aria-label=${TEXTS.nav.label}>
      ${pages.filter(({ isOpen }) => isOpen).map(({ id, name, href }) => html`<a href=${href} aria-current=${id === view ? 'page' : undefined}>${name}</a>`)}
    </nav>`;
}

function Connection() {
  const state = connectionState();
  return html`
    <p id="connection" role="status" data-state=${state}><span>${TEXTS.connection[state]}</span></p>
    ${state === 'closed' && html`<button type="button" id="reconnect" onClick=${reconnect}>${TEXTS.connection.again}</button>`}`;
}

/** @returns {'idle' | 'connecting' | 'live' | 'reconnecting' | 'closed'} */
function connectionState() {
  if (session.value === null || (view === 'board' && boardInAddress.value === null)) return 'idle';
  const status = view === 'board' ? (current.value?.status.value.status ?? 'connecting') : dashboardStatus.value.status;
  return status === 'ended' ? 'closed' : status;
}

/** A server that needs no token has no subject, and nobody can sign out there. */
function Visitor() {
  if (session.value === null || session.value.subject === null) return null;
  const grants = describeGrants(session.value);
  return html`
    <details class="menu" id="session-menu">
      <summary><span class="unseen">${TEXTS.session.signedIn} </span><span id="subject">${session.value.subject}</span></summary>
      <div class="menu-body"><p id="grants">${grants}</p></div>
    </details>
    <button type="button" id="sign-out" onClick=${signOut}>${TEXTS.session.signOut}</button>`;
}
