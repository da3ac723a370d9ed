// Easel's HTTP API.

const root = '/api/v1', part = encodeURIComponent

// Seeds go up to 2^64 − 1: long ones become strings. In a JSON string the quotes would be escaped.
export function parse(text) {
	return JSON.parse(text.replace(/"(seed|subseed)"\s*:\s*(\d{16,})/g, '"$1":"$2"'))
}

// Throws an error with the API's code and field; the code is "offline" where no answer came.
async function call(method, path, { json, key, ...options } = {}) {
	const headers = {}
	if (json) Object.assign(options, { body: JSON.stringify(json) })
	if (options.body) headers['Content-Type'] = options.body.type ?? 'application/json'
	if (key) headers['Idempotency-Key'] = key
	let response, text
	try {
		response = await fetch(root + path, { method, headers, ...options })
		text = await response.text()
	} catch (error) {
		if (error.name === 'AbortError') throw error
		throw Object.assign(new Error('Easel does not answer. It may have been stopped; this page tries again by itself.'), { code: 'offline' })
	}
	if (response.status === 401) location.assign('/login')
	let value = null
	try { value = parse(text) } catch { /* not JSON: told by the status */ }
	if (response.ok) return value
	const { message, code, field } = value?.error ?? {}
	throw Object.assign(new Error(message ?? `The server answered ${response.status}.`), { code, field })
}

function query(values) {
	return `?${new URLSearchParams(Object.entries(values).filter(([, value]) => value !== null && value !== ''))}`.replaceAll('+', '%20')
}

const job = (id, rest = '') => `/jobs/${part(id)}${rest}`, picture = (id, rest = '') => `/pictures/${part(id)}${rest}`

export const api = {
	get: (path) => call('GET', path),
	submit: (json, key) => call('POST', '/jobs', { json, key }),
	jobs: (values) => call('GET', `/jobs${query(values)}`),
	cancel: (id) => call('POST', job(id, '/cancel')),
	retry: (id) => call('POST', job(id, '/retry')),
	move: (id, before) => call('POST', job(id, '/move'), { json: { before } }),
	forget: (id) => call('DELETE', job(id)),
	pictures: (values) => call('GET', `/pictures${query(values)}`),
	change: (id, json) => call('PATCH', picture(id), { json }),
	trash: (id) => call('DELETE', picture(id)),
	restore: (id) => call('POST', picture(id, '/restore')),
	remove: (id) => call('DELETE', picture(id, '?forever=true')),
	tags: () => call('GET', '/tags'),
	tokens: (json, signal) => call('POST', '/tokens', { json, signal }),
	upload: (body) => call('POST', '/uploads', { body }),
}

// crypto.randomUUID is missing where the page is neither on HTTPS nor on loopback.
export function idempotencyKey() {
	return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

export const eventsPath = `${root}/events`
export const uploadFile = (id) => `${root}/uploads/${part(id)}/file`
export const pictureFile = (id) => root + picture(id, '/file')
