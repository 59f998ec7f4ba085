/** The panel of a card: its fields, and below them its attempts, live. */
import { AttemptView } from './attempt_view.js';
import { CardFields } from './card_fields.js';
import { Dependencies } from './dependencies.js';
import { Dialog } from './dialog.js';
import { html, useSignal } from './preact.js';
import { addressOfBoard, cardInAddress, go } from './route.js';
import { TEXTS } from './texts.js';
import { may } from './visitor.js';

/** @param {{model: import('./board_model.js').BoardModel}} props */
export function CardPanel({ model }) {
  const cardId = cardInAddress.value;
  const state = model.state.value;
  if (cardId === null || state === null) return null;
  const close = () => go(addressOfBoard(model.boardId));
  const card = state.cards[cardId];
  if (card === undefined) return html`<${Dialog} title=${TEXTS.panel.gone} class="sheet" onClose=${close}><p class="quiet">${TEXTS.panel.goneText}</p><//>`;
  const mayWrite = may('write', model.boardId);
  const title = html`<span class="ticket">${card.ticketKey ?? TEXTS.panel.card}</span>`;
  return html`
    <${Dialog} key=${cardId} id="card-panel" title=${title} class="sheet" onClose=${close}>
      <${CardFields} card=${card} model=${model} mayWrite=${mayWrite} />
      <${Dependencies} card=${card} model=${model} mayWrite=${mayWrite} />
      <${AttemptView} cardId=${cardId} prUrl=${card.prUrl} model=${model} mayWrite=${mayWrite} />
      ${mayWrite && html`<${Delete} cardId=${cardId} model=${model} onDeleted=${close} />`}
    <//>`;
}

/** @param {{cardId: string, model: import('./board_model.js').BoardModel, onDeleted: () => void}} props */
function Delete({ cardId, model, onDeleted }) {
  const isAsking = useSignal(false);
  const submit = () => {
    onDeleted();
    model.delete(cardId);
  };
  if (!isAsking.value) return html`<footer class="panel-foot"><button type="button" class="quiet-button bad" data-action="delete-card" onClick=${() => (isAsking.value = true)}>${TEXTS.panel.delete}</button></footer>`;
  return html`
    <footer class="panel-foot">
      <p>${TEXTS.panel.deleteText}</p>
      <div class="actions"><button type="button" onClick=${() => (isAsking.value = false)}>${TEXTS.cancel}</button><button type="button" class="danger" data-action="confirm-delete-card" onClick=${submit}>${TEXTS.panel.delete}</button></div>
    </footer>`;
}
