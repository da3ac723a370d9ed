// The queue: what is painted now, what waits (to be moved, or cancelled), and what is over.
import { api } from './api.js'
import { announce, failed } from './announce.js'
import { $, button, el, on } from './dom.js'
import { allRunning, drop, finished, onJobs, put, queued, refresh, secondsLeft } from './jobs.js'
import { keep, kept } from './kept.js'
import { progressText } from './stage.js'

const panel = $('queue'), body = $('queue-body'), toggle = $('queue-toggle')
let dragged = null, drawing = 0, drawn = ''

function note(job) {
	const count = job.pictures?.length ?? 0, left = secondsLeft(job)
	if (job.state === 'running') return progressText(job)
	if (job.state === 'failed') return job.error?.message ?? 'Failed'
	if (job.state === 'cancelled') return 'Cancelled'
	if (job.state === 'done') return count === 1 ? '1 picture' : `${count} pictures`
	return [
		job.position ? `${job.position} before it` : 'next', job.settings.count > 1 && `${job.settings.count} pictures`,
		left !== null && `done in ${left < 90 ? `${Math.ceil(left)} s` : `${Math.round(left / 60)} min`}`,
		job.api !== 'easel' && `from ${job.api}`,
	].filter(Boolean).join(' · ')
}

// To that place among those that wait.
async function moveTo(job, index) {
	const rest = queued().filter((other) => other.id !== job.id)
	put(await api.move(job.id, rest[index]?.id ?? null))
	announce(`Moved to place ${Math.min(index, rest.length) + 1}.`)
}

const attempt = (work) => async () => { try { await work() } catch (error) { failed(error) } finally { refresh() } }

function row(job, index, { length }) {
	const prompt = job.settings?.prompt?.trim() || 'No prompt', isWaiting = job.state === 'queued'
	const tool = (image, what, work, disabled) => button(image, `${what}: ${prompt.slice(0, 60)}`, attempt(work), { kind: 'quiet small', disabled, 'data-tool': image })
	const tools = isWaiting ? [
		tool('up', 'Sooner', () => moveTo(job, index - 1), index === 0), tool('down', 'Later', () => moveTo(job, index + 1), index === length - 1)] : []
	if (isWaiting || job.state === 'running') tools.push(tool('close', 'Cancel', async () => put(await api.cancel(job.id))))
	else {
		tools.push(tool('restore', job.state === 'done' ? 'Again' : 'Try again', async () => put(await api.retry(job.id))),
			tool('close', 'Remove from the list', async () => { await api.forget(job.id); drop(job.id) }))
	}
	const item = el('li', { class: 'job', 'data-id': job.id, 'data-state': job.state, draggable: isWaiting && 'true' },
		el('span', { class: 'job-prompt' }, prompt), el('span', { class: 'job-tools' }, ...tools),
		el('span', { class: `job-note ${job.state === 'failed' ? 'bad' : ''}` }, note(job)))
	if (job.state === 'running') {
		item.append(el('div', { class: 'progress', 'aria-hidden': 'true' }, el('div', { class: 'progress-bar' })))
		setBar(item, job)
	}
	if (isWaiting) makeDraggable(item, job, index)
	return item
}

function setBar(item, job) {
	const bar = item.querySelector('.progress-bar')
	if (bar) bar.style.transform = `scaleX(${job.progress ?? 0})`
}

function makeDraggable(item, job, index) {
	on(item, 'dragstart', (event) => {
		dragged = job
		event.dataTransfer.setData('easel/job', job.id)
	})
	on(item, 'dragend', () => { dragged = null; show() })
	on(item, 'dragover', (event) => {
		if (!dragged || dragged.id === job.id) return
		event.preventDefault()
		item.classList.add('over')
	})
	on(item, 'dragleave', () => item.classList.remove('over'))
	on(item, 'drop', (event) => {
		event.preventDefault()
		const moved = dragged
		dragged = null
		if (moved) attempt(() => moveTo(moved, index))()
	})
}

function draw() {
	drawing = 0
	const current = allRunning(), waiting = queued(), over = finished().slice(0, 12), count = waiting.length + current.length
	for (const badge of document.querySelectorAll('.badge')) { badge.textContent = count; badge.hidden = count === 0 }
	if (dragged || (panel.hidden && document.body.dataset.view !== 'queue')) return
	// Where only the progress is another, the controls stay: a click on one takes longer than a step.
	const listed = [...current, ...waiting, ...over], shape = listed.map((job) => job.id + job.state).join()
	if (shape === drawn) {
		body.querySelectorAll('.job').forEach((item, index) => {
			item.querySelector('.job-note').textContent = note(listed[index])
			setBar(item, listed[index])
		})
		return
	}
	drawn = shape
	// Drawn anew, the focus stays on the same control of the same job.
	const focused = document.activeElement, id = focused?.closest('.job')?.dataset.id
	const part = (title, jobs) => (jobs.length ? [el('h3', {}, title), el('ul', { 'aria-label': title }, ...jobs.map(row))] : [])
	body.replaceChildren(...part('Painting', current), ...part('Waiting', waiting), ...part('Before', over),
		...(count + over.length ? [] : [el('p', { class: 'queue-empty' }, 'Nothing waits. What you generate while a picture is painted lines up here.')]))
	if (id) {
		const again = body.querySelector(`[data-id="${id}"]`);
		(again?.querySelector(`[data-tool="${focused.dataset.tool}"]:not(:disabled)`) ?? again?.querySelector('button:not(:disabled)') ?? body).focus()
	}
}

const show = () => { drawing ||= requestAnimationFrame(draw) }

export function toggleQueue(open = panel.hidden) {
	panel.hidden = !open
	toggle.ariaExpanded = open
	keep('queue', open)
	show()
}

export function setUpQueue() {
	onJobs('change', show)
	on(toggle, 'click', () => toggleQueue())
	on($('queue-close'), 'click', () => { toggleQueue(false); toggle.focus() })
	toggleQueue(Boolean(kept('queue')))
}
