/** Makes DOM elements. Text is always set as text: nothing that came over the network is ever parsed as HTML. */

/**
 * `element('li', { class: 'card', 'data-card-id': id, onclick: f }, 'text', otherElement)`; null attributes are left out.
 * @param {string} tag
 * @param {Record<string, any>} attributes
 * @param {(Node | string | null | undefined)[]} children
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}
