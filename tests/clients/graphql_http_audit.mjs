/** npm graphql-http audits the server that it is given, tells the result of each rule, and in the end how many it keeps. */
import { serverAudits } from 'graphql-http';
import { settings, tell } from './lines.mjs';

const audits = serverAudits({ url: settings.url });
let kept = 0;

for (const { fn } of audits) {
  const { id, name, status, reason, response } = await fn();
  if (status === 'ok') kept += 1;
  tell('audited', { id, name, status, reason: reason ?? null, answered: response?.status ?? null });
}
tell('done', { kept, rules: audits.length });
