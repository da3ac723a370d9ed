// The jobs that the server has, kept up to date by its events.
import { api, eventsPath, parse } from './api.js'
import { announce, notice } from './announce.js'
import { $, signals } from './dom.js'
import { follow } from './stream.js'

const jobs = new Map()
// Whether the list is to be asked for again soon, and whether its answer is on the way.
let wasLost = false, isDue = false, isAsking = false

// 'change' · 'picture': {job, picture} · 'preview': job · 'resync': the connection is there again
const { listen, tell } = signals()
export { listen as onJobs }

const isOver = (job) => ['done', 'failed', 'cancelled'].includes(job.state)
export const allRunning = () => [...jobs.values()].filter((job) => job.state === 'running')
export const running = () => allRunning()[0] ?? null
export const queued = () => [...jobs.values()].filter((job) => job.state === 'queued')
	.sort((a, b) => (a.position ?? 1e9) - (b.position ?? 1e9) || a.created.localeCompare(b.created))
export const finished = () => [...jobs.values()].filter(isOver)
	.sort((a, b) => (b.finished ?? b.created).localeCompare(a.finished ?? a.created))

function merge(job) {
	const merged = { ...jobs.get(job.id), ...job, heard: performance.now() }
	if (isOver(merged)) merged.preview = merged.position = null
	jobs.set(job.id, merged)
	return merged
}

export function put(job) {
	const merged = merge(job)
	tell('change')
	return merged
}

export function drop(id) { jobs.delete(id); tell('change') }

// How many seconds are left by now; null where nobody knows.
export function secondsLeft(job) {
	return typeof job.seconds_left === 'number' ? Math.max(0, job.seconds_left - (performance.now() - job.heard) / 1000) : null
}

export function refresh() {
	if (isDue) return
	isDue = true
	setTimeout(ask, 120)
}

async function ask() {
	// One at a time, so that an older answer never comes after a newer one.
	if (isAsking) { setTimeout(ask, 120); return }
	isDue = false
	isAsking = true
	try {
		// What is painted is the oldest: it would be cut from a long list that has the newest first.
		const [now, painted, over] = await Promise.all([
			api.jobs({ state: 'queued,running', limit: 200 }), api.jobs({ state: 'running', limit: 200 }),
			api.jobs({ state: 'done,failed,cancelled', limit: 12 })])
		const listed = [...now.jobs, ...painted.jobs, ...over.jobs], ids = new Set(listed.map((job) => job.id))
		for (const job of jobs.values()) if (!isOver(job) && !ids.has(job.id)) jobs.delete(job.id)
		listed.forEach(merge)
		for (const job of finished().slice(30)) jobs.delete(job.id)
		tell('change')
	} catch { /* the connection's own state says so */ }
	isAsking = false
}

function receive(type, { job: id, ...data }) {
	if (type === 'queue') { refresh(); return }
	if (isOver({ state: type })) {
		const job = put(data)
		if (type === 'failed') notice(job.error?.message ?? 'The job failed.', { bad: true })
		else announce(type === 'done' ? 'Done.' : 'Cancelled.')
		refresh()
		return
	}
	const isKnown = jobs.has(id)
	if (!isKnown) refresh()
	const job = jobs.get(id) ?? { id, state: 'running', settings: {}, created: '' }
	job.heard = performance.now()
	if (type === 'started') { Object.assign(job, { state: 'running', position: 0 }); announce('Painting.'); refresh() }
	if (type === 'stage') job.stage = data.stage
	if (type === 'queued') Object.assign(job, data)
	if (type === 'step') Object.assign(job, data, { state: 'running' })
	if (type === 'preview') { job.preview = data; tell('preview', job); return }
	if (type === 'warning') notice(data.message)
	if (type === 'picture') {
		const picture = { ...data, job: id }
		job.preview = null;
		(job.pictures ??= []).push(picture)
		tell('picture', { job, picture })
	}
	if (isKnown) tell('change')
}

const types = ['queued', 'started', 'stage', 'step', 'preview', 'warning', 'picture', 'done', 'failed', 'cancelled', 'queue']

export function connect() {
	follow(eventsPath, types, (type, text) => {
		if (text) return receive(type, parse(text))
		$('connection').textContent = type === 'lost' ? 'Easel does not answer. Trying again…' : ''
		if (type !== 'lost') {
			if (wasLost) announce('Connected again.')
			if (wasLost || type === 'begun') { refresh(); tell('resync') }
		}
		wasLost = type === 'lost'
	})
}
