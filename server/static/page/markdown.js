/** Markdown as HTML that is safe: no HTML of the author, no images, no styles, and links to web addresses only. */
import { html, useEffect, useState } from './preact.js';

/** Everything that Markdown itself can make. */
const TAGS = [
  'a', 'blockquote', 'br', 'code', 'del', 'em', 'h4', 'h5', 'h6', 'hr', 'li', 'ol', 'p', 'pre', 'strong',
  'table', 'tbody', 'td', 'th', 'thead', 'tr', 'ul',
];
const ATTRIBUTES = ['align', 'href', 'rel', 'start', 'target', 'title'];
const WEB = /^https?:\/\//i;

/** The libraries are loaded when the first text needs them. @type {Promise<(text: string) => string> | undefined} */
let loading;

async function load() {
  const [{ Marked }, { default: purify }] = await Promise.all([import('./vendor/marked.esm.js'), import('./vendor/purify.es.mjs')]);
  const escaped = (/** @type {string} */ text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
  const marked = new Marked({
    gfm: true,
    breaks: true,
    renderer: {
      html: ({ text }) => escaped(text),
      checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
      // The page has headings of its own above.
      heading({ tokens, depth }) {
        const level = Math.min(depth + 3, 6);
        return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>`;
      },
      image: ({ href, text }) => (WEB.test(href) ? `<a href="${escaped(href)}">${escaped(text || href)}</a>` : escaped(text)),
    },
  });
  purify.addHook('afterSanitizeAttributes', (node) => {
    if (node.tagName !== 'A' || !node.hasAttribute('href')) return;
    node.setAttribute('target', '_blank');
    node.setAttribute('rel', 'noreferrer noopener');
  });
  const options = { ALLOWED_TAGS: TAGS, ALLOWED_ATTR: ATTRIBUTES, ALLOWED_URI_REGEXP: WEB };
  return (/** @type {string} */ text) => purify.sanitize(/** @type {string} */ (marked.parse(text, { async: false })), options);
}

/** Until the libraries are there, and if they do not come, the text is shown as it is. @param {{text: string}} props */
export function Markdown({ text }) {
  const [safe, setSafe] = useState(/** @type {string | null} */ (null));
  useEffect(() => {
    let isWanted = true;
    loading ??= load();
    loading.then((toHtml) => isWanted && setSafe(toHtml(text)), () => (loading = undefined));
    return () => {
      isWanted = false;
    };
  }, [text]);
  if (safe === null) return html`<div class="markdown plain">${text}</div>`;
  return html`<div class="markdown" dangerouslySetInnerHTML=${{ __html: safe }}></div>`;
}
