/**
 * A user of the server, signed in with Chromium, visits a hostile page: it tries every way in which a page can send a request
 * to another address. The script is its server too, at another port. Each order names the host of the page, and the script
 * reports what the page got, by the way. `own` runs the same attempts in a page of the server itself.
 */
import { createServer } from 'node:http';
import { withPage } from './browser.mjs';
import { obey, settings, report } from './lines.mjs';

const server = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end('<!doctype html><title>Hostile</title>'));
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address();

await withPage(async (page) => {
  await page.goto(settings.url);
  await page.getByLabel('Token').fill(settings.token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForSelector('#connection[data-state="live"]');
  report('ready');

  await obey({
    attack: async ({ host }) => {
      const hostile = await page.context().newPage();
      await hostile.goto(host === 'own' ? settings.url : `http://${host}:${port}/`);
      report('attacked', { host, got: await hostile.evaluate(attack, settings) });
      await hostile.close();
    },
    /** Report whether the page of the user is still live. */
    look: async () => report('looked', { state: await page.locator('#connection').getAttribute('data-state') }),
  });
});
server.close();

/** Runs in the hostile page. */
async function attack({ url, boardId, columnId, otherToken, timeoutMs }) {
  const got = {};
  const within = (promise) => Promise.race([promise, new Promise((resolve) => setTimeout(resolve, timeoutMs / 4, 'nothing came'))]);
  async function note(way, work) {
    try {
      got[way] = String(await within(work()));
    } catch (error) {
      got[way] = `failed: ${error}`;
    }
  }

  const card = (title) => JSON.stringify({ columnId, title });
  const mutation = (title) =>
    JSON.stringify({
      query: `mutation { createCard(boardId: "${boardId}", input: {columnId: "${columnId}", title: "${title}"}) { __typename } }`,
    });
  const reads = { projects: '/api/v1/projects', board: `/api/v1/boards/${boardId}`, session: '/api/v1/session', graphql: '/graphql?query={projects{nodes{name}}}' };
  const changes = {
    card: ['POST', `/api/v1/boards/${boardId}/cards`, card('Made by a hostile page')],
    mutation: ['POST', '/graphql', mutation('Made by a hostile mutation')],
    signIn: ['POST', '/api/v1/session', JSON.stringify({ token: otherToken })],
    signOut: ['DELETE', '/api/v1/session', undefined],
  };
  const types = ['application/json', 'text/plain', 'application/x-www-form-urlencoded'];

  for (const mode of ['cors', 'no-cors', 'same-origin']) {
    for (const [name, path] of Object.entries(reads)) {
      await note(`read ${name} ${mode}`, async () => (await fetch(url + path, { credentials: 'include', mode })).text());
    }
    for (const [name, [method, path, body]] of Object.entries(changes)) {
      // Of the page itself, the session stays.
      if (url === location.origin && name.startsWith('sign')) continue;
      for (const type of body === undefined ? ['text/plain'] : types) {
        const options = { method, body, credentials: 'include', mode, headers: { 'content-type': type } };
        await note(`change ${name} ${mode} ${type}`, async () => (await fetch(url + path, options)).text());
      }
    }
  }

  for (const enctype of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
    for (const [name, [, path, body]] of Object.entries(changes)) {
      if (body === undefined || url === location.origin) continue;
      await note(`form ${name} ${enctype}`, () => sentForm('POST', url + path, enctype, body));
    }
  }
  if (url !== location.origin) {
    await note('form query', () => sentForm('GET', `${url}/graphql`, 'application/x-www-form-urlencoded', mutation('Made by a hostile query')));
    await note('frame', () => sentForm('GET', `${url}/`, 'application/x-www-form-urlencoded', ''));
  }

  const socketUrl = url.replace(/^http/, 'ws');
  await note('socket', () => firstMessages(new WebSocket(`${socketUrl}/api/v1/ws?boardId=${boardId}`), [JSON.stringify({ type: 'create_card', payload: { columnId, title: 'Made by a hostile socket' } })], isCardMade));
  for (const [protocol, start] of [['graphql-transport-ws', 'subscribe'], ['graphql-ws', 'start']]) {
    const query = { id: '1', type: start, payload: { query: '{ projects { nodes { name } } }' } };
    const change = { id: '2', type: start, payload: JSON.parse(mutation('Made by a hostile subscription')) };
    await note(`socket ${protocol}`, () => firstMessages(new WebSocket(`${socketUrl}/graphql`, protocol), [{ type: 'connection_init' }, query, change].map((one) => JSON.stringify(one)), areBothAnswered));
  }
  for (const [name, path] of [['board', `/api/v1/sse?boardId=${boardId}`], ['dashboard', '/api/v1/sse']]) {
    await note(`events of the ${name}`, () => firstEvent(new EventSource(url + path, { withCredentials: true })));
  }
  return got;

  /** Send a form into a frame, and resolve to what can be read there. */
  function sentForm(method, action, enctype, text) {
    const frame = document.createElement('iframe');
    frame.name = `frame${Math.random()}`;
    const form = Object.assign(document.createElement('form'), { method, action, enctype, target: frame.name });
    // As `text/plain` the body is `<name>=<value>`: a JSON object, if name and value are its halves.
    const field = Object.assign(document.createElement('input'), { name: method === 'GET' ? 'query' : text.slice(0, -1), value: method === 'GET' ? text : '"}' });
    form.append(field);
    document.body.append(frame, form);
    return new Promise((resolve) => {
      form.submit();
      frame.onload = () => resolve(frame.contentDocument === null ? 'not readable' : frame.contentDocument.body.innerText);
    });
  }

  function isCardMade(came) {
    return came.some((text) => text.includes('Made by a hostile socket'));
  }

  function areBothAnswered(came) {
    return came.filter((text) => ['complete', 'error'].includes(JSON.parse(text).type)).length === 2;
  }

  /** Send messages, and resolve to those that come until `isEnough(came)`, or until the server closes the socket. */
  function firstMessages(socket, messages, isEnough) {
    const came = [];
    return new Promise((resolve, reject) => {
      socket.onopen = () => messages.forEach((message) => socket.send(message));
      socket.onmessage = ({ data }) => {
        came.push(data);
        if (isEnough(came)) resolve(came);
      };
      socket.onclose = ({ code }) => resolve([...came, code]);
      socket.onerror = () => came.length === 0 && reject(new Error('no socket'));
    }).finally(() => socket.close());
  }

  function firstEvent(source) {
    return new Promise((resolve, reject) => {
      for (const type of ['hello', 'state', 'dashboard_overview']) source.addEventListener(type, ({ data }) => resolve(data));
      source.onerror = () => reject(new Error('no stream'));
    }).finally(() => source.close());
  }
}
