/** The token of a client, asked for whenever it connects: that of a file, or one that it signs itself (RFC 7515). */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { settings } from './lines.mjs';

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

export function token() {
  const { tokenFile, signingKey, lifeSeconds } = settings;
  if (!signingKey) return readFileSync(tokenFile, 'utf8');
  const exp = Math.ceil(Date.now() / 1000 + lifeSeconds);
  const claims = { sub: 'ada', exp, boardcast: { boards: ['*'], can: ['read'] } };
  const text = `${encoded({ alg: 'HS256', typ: 'JWT' })}.${encoded(claims)}`;
  return `${text}.${createHmac('sha256', signingKey).update(text).digest('base64url')}`;
}
