// The easel: what is being painted, or what was painted last.
import { buttons } from './actions.js'
import { api } from './api.js'
import { failed } from './announce.js'
import { $, el, on } from './dom.js'
import { onJobs, queued, running, secondsLeft } from './jobs.js'
import { all, onPictures } from './pictures.js'
import { openViewer } from './viewer.js'

const frame = $('stage-picture'), actions = $('stage-actions'), words = $('stage-text'), image = $('stage-image')
let shown = null, strip = [], stripJob = null
const stages = { load: 'Loading the model', encode: 'Reading', calibrate: 'Calibrating', denoise: 'Painting', decode: 'Finishing' }

// As large as the easel has room for; small pictures to 512 pixels at most.
function fit(frame, width, height, most) {
	const scale = Math.min($('mat').clientWidth / width, $('mat').clientHeight / height, Math.max(most, 512 / Math.max(width, height)))
	frame.style.width = `${Math.round(width * scale)}px`
	frame.style.height = `${Math.round(height * scale)}px`
	return scale
}

function duration(seconds) {
	const whole = Math.ceil(seconds)
	return whole < 90 ? `${whole} s left` : whole < 5400 ? `${Math.round(whole / 60)} min left` : `${(whole / 3600).toFixed(1)} h left`
}

export function progressText(job) {
	const count = job.settings?.count ?? 1, left = secondsLeft(job)
	const parts = [job.step && job.stage !== 'decode' ? `Step ${job.step} of ${job.steps}` : stages[job.stage?.split('_')[0]] ?? 'Starting']
	if (count > 1) parts.push(`picture ${(job.picture ?? 0) + 1} of ${count}`)
	if (job.step && left > 0.5) parts.push(duration(left))
	return parts.join(' · ')
}

function showPicture(picture) {
	shown = picture
	if (picture) {
		if (image.getAttribute('src') !== picture.file) image.src = picture.file
		image.alt = picture.prompt || 'Picture without a prompt'
		frame.ariaLabel = `Open: ${picture.prompt || 'picture'}`
	}
	actions.replaceChildren(...(picture ? buttons(() => [shown], { isText: false, names: ['use', 'start', 'inpaint', 'extend', 'favourite', 'trash'] }) : []))
	$('stage-strip').replaceChildren(...(strip.length > 1 ? strip.map((one, index) => el('li', {}, el('button', {
		'aria-label': `Picture ${index + 1}`, 'aria-pressed': String(one.id === shown?.id), onclick: () => showPicture(one),
	}, el('img', { src: one.thumbnail, alt: '' })))) : []))
	show()
}

export function show() {
	const job = running(), preview = job?.preview, progress = job?.progress ?? 0
	$('stage').dataset.state = job ? 'running' : shown ? 'picture' : 'empty'
	$('stage-empty').hidden = job || shown
	$('stage-preview').hidden = !preview
	frame.hidden = !shown || preview
	$('progress').hidden = $('cancel').hidden = !job
	actions.hidden = Boolean(job)
	if (shown) fit(frame, shown.width, shown.height, 1)
	if (preview) {
		const scale = fit($('stage-preview'), preview.width, preview.height, 8)
		if ($('preview-image').getAttribute('src') !== preview.image) $('preview-image').src = preview.image
		// A pixel a cell: a little blur takes the squares away that enlarging leaves.
		$('preview-image').style.filter = `blur(${scale * 0.4}px)`
	}
	const percent = Math.round(progress * 100), waiting = queued().length
	$('progress-bar').style.transform = `scaleX(${progress})`
	$('progress').ariaValueNow = percent
	words.textContent = job ? progressText(job) : shown ? shown.prompt ?? '' : waiting ? `${waiting} waiting` : ''
	document.title = job ? `${percent} % · Easel` : 'Easel'
	document.body.style.setProperty('--stage-height', `${$('stage').offsetHeight}px`)
}

export async function cancelRunning() {
	try { if (running()) await api.cancel(running().id) } catch (error) { failed(error) }
}

export function setUpStage() {
	onJobs('change', show)
	onJobs('preview', show)
	onJobs('picture', ({ job, picture }) => {
		if (stripJob !== job.id) [stripJob, strip] = [job.id, []]
		strip.push(picture)
		showPicture(picture)
	})
	onPictures('reset', () => { if (!shown && all().length && !all()[0].trashed) showPicture(all()[0]) })
	onPictures('change', (picture) => {
		strip = strip.map((one) => (one.id === picture.id ? picture : one)).filter((one) => !one.trashed)
		if (shown?.id !== picture.id) return
		const name = document.activeElement?.closest('#stage-actions') && document.activeElement.dataset.action
		showPicture(picture.trashed ? strip[0] ?? all().find((one) => one.id !== picture.id && !one.trashed) ?? null : picture)
		actions.querySelector(`[data-action="${name}"]`)?.focus()
	})
	on(frame, 'click', () => openViewer(shown))
	on($('cancel'), 'click', cancelRunning)
	new ResizeObserver(show).observe($('mat'))
	setInterval(() => { if (running()) words.textContent = progressText(running()) }, 1000)
}
