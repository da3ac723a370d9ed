// Sends what the form says, as a job.
import { api, idempotencyKey } from './api.js'
import { announce } from './announce.js'
import { $, on } from './dom.js'
import { clearErrors, showError } from './errors.js'
import { onJobs, put, running } from './jobs.js'
import { seedTaken } from './seed.js'
import { read, save } from './settings.js'

// When no answer came, the same request goes out under the same key: it is one job, whether the first arrived or not.
let unanswered = null
let isSending = false

export async function generate() {
	if (isSending) return
	clearErrors()
	const settings = read(), body = JSON.stringify(settings)
	const key = unanswered?.body === body ? unanswered.key : idempotencyKey()
	isSending = true
	$('generate').setAttribute('aria-busy', 'true')
	try {
		const job = await api.submit(settings, key)
		unanswered = null
		put(job)
		seedTaken(job.settings.seed)
		save()
		announce(job.position ? `Queued, ${job.position} before it.` : 'Started.')
		$('main').scrollTo({ top: 0, behavior: 'smooth' })
	} catch (error) {
		unanswered = error.code === 'offline' ? { body, key } : null
		showError(error)
	} finally {
		isSending = false
		$('generate').removeAttribute('aria-busy')
	}
}

export function setUpGenerate() {
	on($('compose'), 'submit', (event) => { event.preventDefault(); generate() })
	onJobs('change', () => { $('generate-label').textContent = running() ? 'Add to the queue' : 'Generate' })
}
