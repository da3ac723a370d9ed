// Easel's HTTP API.

const root = '/api/v1';

export class APIError extends Error {
  constructor(message, { status = 0, code = 'offline', field = null, retryAfter = null } = {}) {
    super(message);
    Object.assign(this, { status, code, field, retryAfter });
  }
}

// Seeds go up to 2^64 − 1, which a JavaScript number does not hold: long ones become strings. Within a JSON string the
// quotes of a name would be escaped, so this meets only members.
export function parse(text) {
  return JSON.parse(text.replace(/"(seed|subseed)"\s*:\s*(\d{16,})/g, '"$1":"$2"'));
}

async function call(method, path, { json, body, type, key, signal } = {}) {
  const headers = { Accept: 'application/json' };
  if (json !== undefined) { headers['Content-Type'] = 'application/json'; body = JSON.stringify(json); }
  if (type) headers['Content-Type'] = type;
  if (key) headers['Idempotency-Key'] = key;
  let response;
  try {
    response = await fetch(root + path, { method, headers, body, signal, credentials: 'same-origin' });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new APIError('Easel does not answer. It may have been stopped; this page tries again by itself.');
  }
  if (response.status === 401) location.assign('/login');
  const text = await response.text();
  let value = null;
  try { value = text ? parse(text) : null; } catch { /* not JSON: told below by the status */ }
  if (!response.ok) {
    const error = value?.error ?? {};
    throw new APIError(error.message ?? `The server answered ${response.status}.`, {
      status: response.status, code: error.code ?? 'unknown', field: error.field ?? null,
      retryAfter: Number(response.headers.get('Retry-After')) || null,
    });
  }
  return value;
}

const query = (values) => {
  const pairs = Object.entries(values).filter(([, value]) => value !== null && value !== undefined && value !== '');
  return pairs.length ? `?${new URLSearchParams(pairs)}` : '';
};
const part = encodeURIComponent;

export const api = {
  get: (path) => call('GET', path),
  submit: (settings, key) => call('POST', '/jobs', { json: settings, key }),
  jobs: (values) => call('GET', `/jobs${query(values)}`),
  job: (id) => call('GET', `/jobs/${part(id)}`),
  cancel: (id) => call('POST', `/jobs/${part(id)}/cancel`),
  retry: (id) => call('POST', `/jobs/${part(id)}/retry`),
  move: (id, before) => call('POST', `/jobs/${part(id)}/move`, { json: { before } }),
  forget: (id) => call('DELETE', `/jobs/${part(id)}`),
  pictures: (values, signal) => call('GET', `/pictures${query(values)}`, { signal }),
  picture: (id) => call('GET', `/pictures/${part(id)}`),
  change: (id, values) => call('PATCH', `/pictures/${part(id)}`, { json: values }),
  trash: (id) => call('DELETE', `/pictures/${part(id)}`),
  restore: (id) => call('POST', `/pictures/${part(id)}/restore`),
  remove: (id) => call('DELETE', `/pictures/${part(id)}?forever=true`),
  tags: () => call('GET', '/tags'),
  tokens: (text, model, signal) => call('POST', '/tokens', { json: model ? { text, model } : { text }, signal }),
  upload: (blob) => call('POST', '/uploads', { body: blob, type: blob.type }),
};

// A key by which a repeated submission is known; crypto.randomUUID is missing where the page is not on HTTPS or loopback.
export function idempotencyKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export const eventsPath = `${root}/events`;
export const uploadFile = (id) => `${root}/uploads/${part(id)}/file`;
export const pictureFile = (id) => `${root}/pictures/${part(id)}/file`;
