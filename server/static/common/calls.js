/** Calls of the REST interface. Each resolves to the parsed answer or rejects with a `Refused` that can be shown. */

const API = '/api/v1';

/** The server said no, or could not be reached; `message` is fit for the reader, `status` is 0 without an answer. */
export class Refused extends Error {
  /** @param {string} message @param {number} status */
  constructor(message, status) {
    super(message);
    this.name = 'Refused';
    this.status = status;
  }
}

/**
 * Send a request and resolve to the JSON of its answer, null if it has none.
 * @param {string} method
 * @param {string} path below `/api/v1`
 * @param {unknown} [body]
 * @returns {Promise<any>}
 */
export async function call(method, path, body) {
  let response;
  try {
    response = await fetch(API + path, {
      method,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Refused('The server cannot be reached.', 0);
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new Refused(describeProblem(answer, response), response.status);
  return answer;
}

/** One sentence out of a problem+json body (RFC 9457), with its field errors when it has some. @param {any} problem @param {Response} response */
function describeProblem(problem, response) {
  const sentence = problem?.detail || problem?.title || `The server answered ${response.status} ${response.statusText}`.trim();
  const fields = Array.isArray(problem?.errors) ? problem.errors.map(describeFieldError).filter(Boolean) : [];
  return fields.length > 0 ? `${sentence}: ${fields.join('; ')}` : sentence;
}

/** @param {any} error */
function describeFieldError(error) {
  if (typeof error === 'string') return error;
  const where = error?.field ?? error?.path ?? error?.pointer ?? '';
  const what = error?.message ?? error?.detail ?? '';
  return [Array.isArray(where) ? where.join('.') : where, what].filter(Boolean).join(' ');
}
