/** The pages at `/`, `/dashboard` and `/inspector`. This file only starts them. */
import { App } from './page/app.js';
import { html, render } from './page/preact.js';
import { checkSession } from './page/visitor.js';
import { TEXTS } from './page/texts.js';

const root = /** @type {HTMLElement} */ (document.getElementById('app'));
render(html`<${App} />`, root);
await checkSession(TEXTS.session.needed);
