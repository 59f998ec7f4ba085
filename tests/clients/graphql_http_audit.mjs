/** npm graphql-http audits the given server, reports the result of each rule, and finally how many the server keeps. */
import { serverAudits } from 'graphql-http';
import { settings, report } from './lines.mjs';

const audits = serverAudits({ url: settings.url });
let passed = 0;

for (const { fn } of audits) {
  const { id, name, status, reason, response } = await fn();
  if (status === 'ok') passed += 1;
  report('audited', { id, name, status, reason: reason ?? null, answered: response?.status ?? null });
}
report('done', { passed, rules: audits.length });
