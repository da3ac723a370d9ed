// Errors of the API, beside the field that they name, or above all of them.
import { announce } from './announce.js'
import { $, el, field } from './dom.js'

const places = { loras: 'prompt', init_image: 'start-choose', mask: 'start-picture', extend: 'extend.left', hires: 'hires.scale' }

export function clearErrors() {
	$('form-error').hidden = true
	for (const message of $('compose').querySelectorAll('.field-error')) message.remove()
	for (const element of $('compose').querySelectorAll('[aria-invalid]')) {
		element.removeAttribute('aria-invalid')
		element.setAttribute('aria-describedby', element.dataset.described)
	}
}

export function showError(error) {
	const name = (error.field ?? '').replace(/\[.*$/, ''), other = places[name] ?? ''
	const element = field(name) ?? field(other) ?? $(other)
	if (!element?.closest || element.closest('[hidden]')) {
		$('form-error').textContent = error.message
		$('form-error').hidden = false
		$('form-error').scrollIntoView({ block: 'nearest' })
		return
	}
	const id = 'field-error', box = element.closest('.slider, .field')
	const details = element.closest('details')
	if (details) details.open = true
	element.dataset.described = element.getAttribute('aria-describedby') ?? ''
	element.ariaInvalid = 'true'
	element.setAttribute('aria-describedby', id);
	(box ?? element).insertAdjacentElement(box ? 'beforeend' : 'afterend', el('p', { class: id, id }, error.message))
	element.focus()
	announce(error.message)
}
