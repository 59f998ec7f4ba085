/** Shows the two descriptions of the server: the calls of REST, and the messages of the raw streams. */

import { element } from '../common/element.js';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

/** Return what a reference of a document leads to, or the schema itself. */
function resolved(schema, source) {
  if (!schema?.$ref) return schema ?? {};
  return schema.$ref.slice(2).split('/').reduce((found, key) => found?.[key], source) ?? {};
}

const nameOf = (schema) => schema?.$ref?.split('/').at(-1);

/** Return the kind of a value in a few words. */
function kindOf(schema) {
  if (schema.$ref) return nameOf(schema);
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(' | ');
  if (schema.anyOf) return schema.anyOf.length > 6 ? `one of ${schema.anyOf.length} forms` : schema.anyOf.map(kindOf).join(' or ');
  if (schema.type === 'array') return `list of ${kindOf(schema.items ?? {})}`;
  return schema.format ?? schema.type ?? 'any';
}

/** Return a `<details>` whose content is made when it is opened: schemas refer to each other. */
function opened(summary, fill) {
  const content = element('div');
  const made = element('details', {}, element('summary', {}, ...summary), content);
  made.addEventListener('toggle', () => {
    if (made.open && !content.hasChildNodes()) content.append(...fill());
  });
  return made;
}

const isDeep = (schema) => Boolean(schema.properties || schema.anyOf || schema.items || schema.additionalProperties?.properties);

/** Return the parts of a schema: its keys, its forms, or its elements. */
function partsOf(schema, source) {
  const whole = resolved(schema, source);
  const parts = [];
  if (whole.description) parts.push(element('p', { class: 'meaning' }, whole.description));
  for (const [key, one] of Object.entries(whole.properties ?? {})) {
    parts.push(lineOf(key, one, source, whole.required?.includes(key)));
  }
  for (const one of whole.anyOf ?? []) parts.push(lineOf('', one, source, false));
  if (whole.items) parts.push(lineOf('each', whole.items, source, false));
  if (whole.additionalProperties?.properties) parts.push(lineOf('each', whole.additionalProperties, source, false));
  return parts;
}

function lineOf(key, schema, source, isNeeded) {
  const whole = resolved(schema, source);
  const words = [
    element('span', { class: isNeeded ? 'needed' : null }, key), ` ${kindOf(schema)}${isNeeded ? ', needed' : ''} `,
    element('span', { class: 'meaning' }, schema.description ?? ''),
  ];
  return isDeep(whole) ? opened(words, () => partsOf(schema, source)) : element('div', {}, element('code', {}, ...words));
}

function contentOf(title, content, source) {
  return Object.entries(content ?? {}).map(([type, { schema }]) => opened([`${title} (${type}): ${kindOf(schema)}`], () => partsOf(schema, source)));
}

function callOf(method, path, call, source) {
  const summary = [element('span', { class: 'method', 'data-method': method }, method.toUpperCase()), `${path} `, element('span', { class: 'meaning' }, call.summary)];
  return opened(summary, () => [
    ...(call.description ?? '').split('\n\n').filter(Boolean).map((text) => element('p', { class: 'meaning' }, text)),
    ...(call.parameters ?? []).map((one) => lineOf(`${one.name} (${one.in})`, { ...one.schema, description: one.description }, source, one.required)),
    ...contentOf('body', call.requestBody?.content, source),
    ...Object.entries(call.responses).flatMap(([status, one]) =>
      (one.content ? contentOf(`${status} ${one.description}`, one.content, source) : [element('div', {}, element('code', {}, `${status} ${one.description}`))])),
  ]);
}

function restOf(source) {
  const sections = new Map(source.tags.map(({ name }) => [name, [element('h2', {}, name)]]));
  for (const [path, calls] of Object.entries(source.paths)) {
    for (const method of METHODS.filter((one) => calls[one])) {
      sections.get(calls[method].tags[0])?.push(callOf(method, source.servers[0].url + path, calls[method], source));
    }
  }
  return [...sections.values()].map((parts) => element('section', {}, ...parts));
}

function streamsOf(source) {
  return Object.entries(source.operations).map(([name, operation]) => {
    const channel = resolved(operation.channel, source);
    const messages = operation.messages.map((one) => {
      const message = resolved(resolved(one, source), source);
      return opened([`${message.name} `, element('span', { class: 'meaning' }, message.summary)], () => partsOf(message.payload, source));
    });
    const query = channel.bindings?.ws?.query ?? channel['x-query'];
    const parameters = query ? [opened(['query'], () => partsOf(query, source))] : [];
    return element('section', { 'data-operation': name }, element('h2', {}, `${channel.address}: ${operation.summary}`), ...parameters, ...messages);
  });
}

async function read(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

function filterBy(text) {
  const wanted = text.trim().toLowerCase();
  for (const section of document.querySelectorAll('#described > section')) {
    const lines = [...section.querySelectorAll(':scope > details')];
    for (const line of lines) line.hidden = !line.firstChild.textContent.toLowerCase().includes(wanted);
    section.hidden = lines.every((line) => line.hidden);
  }
}

const status = document.getElementById('status');
try {
  const [rest, streams] = await Promise.all([read('/api/v1/openapi.json'), read('/api/v1/asyncapi.json')]);
  document.getElementById('described').append(...restOf(rest), ...streamsOf(streams));
  status.textContent = `Version ${rest.info.version}`;
  document.getElementById('filter').addEventListener('input', (event) => filterBy(event.target.value));
} catch (error) {
  status.textContent = `The descriptions could not be read: ${error.message}`;
}
