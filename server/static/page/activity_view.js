/** The list of what happened on the board since the page was opened, newest first. */
import { element } from '../common/element.js';
import { activityText } from './activity_text.js';

const LINES_KEPT = 200;
const CHARACTERS_SHOWN = 400;

export class ActivityView {
  constructor(list, emptyNotice) {
    this.list = list;
    this.emptyNotice = emptyNotice;
  }

  clear() {
    this.list.replaceChildren();
    this.emptyNotice.hidden = false;
  }

  /** Add the line of an event, when it has one; `cardLabel` names the card it is about, or is null. */
  add(type, payload, cardLabel) {
    const text = activityText(type, payload);
    if (text === null) return;
    this.list.prepend(makeLine(type, payload, cardLabel, text));
    while (this.list.children.length > LINES_KEPT) this.list.lastElementChild.remove();
    this.emptyNotice.hidden = true;
  }
}

function makeLine(type, payload, cardLabel, text) {
  const now = new Date();
  const level = payload.level ?? payload.status ?? payload.item?.type ?? null;
  return element(
    'li',
    { 'data-type': type, 'data-attempt-id': payload.attemptId || null, 'data-level': level },
    element('time', { datetime: now.toISOString() }, now.toLocaleTimeString()),
    element('code', { class: 'kind' }, type),
    cardLabel === null ? null : element('span', { class: 'about' }, cardLabel),
    element('span', { class: 'text' }, text.length > CHARACTERS_SHOWN ? `${text.slice(0, CHARACTERS_SHOWN)} …` : text),
  );
}
