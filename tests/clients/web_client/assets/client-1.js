/**
 * A page that asks what the original's web client asks, in its order, and shows the board of `/projects/:id`.
 *
 * As there, an answer that is not ok, or lacks what is read of it, is a fault; nothing is shown then.
 */
const API = `${location.origin}/api/v1`;
const projectId = decodeURIComponent(location.pathname.split('/')[2]);

async function ask(path) {
  const response = await fetch(`${API}/${path}`);
  const body = await response.json();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${body.detail}`);
  return body;
}

function expect(holds, what) {
  if (!holds) throw new Error(`expected ${what}`);
}

async function begin() {
  const { status } = await ask('onboarding/status');
  expect(status.status === 'completed', 'no onboarding');
  const { settings } = await ask('settings');
  expect(['system', 'light', 'dark'].includes(settings.theme), 'a theme');
  expect((await ask('auth/github/check')).status === 'invalid', 'no connection to GitHub');
  expect((await ask('auth/github/app')).source === 'unset', 'no application of GitHub');
  expect((await ask('projects')).some((project) => project.id === projectId), 'the project');
  expect(typeof (await ask('version')).currentVersion === 'string', 'a version');
  expect(Array.isArray((await ask('agents')).agents), 'agents');
  expect(Array.isArray((await ask('agents/profiles')).profiles), 'profiles');
}

async function openProject() {
  const project = await ask(`projects/${projectId}`);
  const { state } = await ask(`boards/${project.boardId}`);
  const { enhancements } = await ask(`projects/${projectId}/enhancements`);
  expect(Object.keys(enhancements).length === 0, 'no enhancements');
  const { settings } = await ask(`projects/${projectId}/settings`);
  const { preview } = await ask(`projects/${projectId}/tickets/next-key`);
  expect(preview.key === `${settings.ticketPrefix}-${settings.nextTicketNumber}`, 'one next key');
  expect('originUrl' in (await ask(`projects/${projectId}/github/origin`)), 'an origin');
  expect(Array.isArray((await ask(`projects/${projectId}/git/branches`)).branches), 'branches');
  expect(Array.isArray((await ask(`projects/${projectId}/terminals/eligible`)).eligible), 'terminals');
  for (const cardId of Object.keys(state.cards)) {
    expect(Array.isArray((await ask(`boards/${project.boardId}/cards/${cardId}/images`)).images), 'images');
  }
  return project.boardId;
}

function show(state) {
  const columns = state.columnOrder.map((columnId) => {
    const column = document.createElement('section');
    column.dataset.columnId = columnId;
    for (const cardId of state.columns[columnId].cardIds) {
      const card = document.createElement('p');
      card.dataset.cardId = cardId;
      card.textContent = state.cards[cardId].title;
      column.append(card);
    }
    return column;
  });
  document.querySelector('#board').replaceChildren(...columns);
  document.querySelector('#board').dataset.state = 'live';
}

try {
  await begin();
  const boardId = await openProject();
  const events = new EventSource(`${API}/sse?boardId=${encodeURIComponent(boardId)}`);
  events.addEventListener('state', (event) => show(JSON.parse(event.data)));
} catch (error) {
  document.querySelector('#fault').textContent = String(error);
  document.querySelector('#board').dataset.state = 'failed';
}
