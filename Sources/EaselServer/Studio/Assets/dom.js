// Making elements. Text is always set as text, never parsed.

export const $ = (id) => document.getElementById(id)
export const field = (name) => $('compose').elements.namedItem(name)
export const on = (target, types, listener, options) => types.split(' ').forEach((type) => target.addEventListener(type, listener, options))
export const changed = (element) => element.dispatchEvent(new Event('input', { bubbles: true }))

export function el(tag, attributes = {}, ...children) {
	const element = document.createElement(tag)
	for (const [name, value] of Object.entries(attributes)) {
		if (value === undefined || value === null || value === false) continue
		if (name.startsWith('on')) on(element, name.slice(2), value)
		else element.setAttribute(name, value === true ? '' : value)
	}
	element.append(...children.filter((child) => child || child === 0))
	return element
}

const svg = (tag) => document.createElementNS('http://www.w3.org/2000/svg', tag)

export function icon(name) {
	const image = svg('svg'), use = svg('use')
	image.ariaHidden = 'true'
	use.setAttribute('href', `#i-${name}`)
	image.append(use)
	return image
}

// A button with an icon; without text it is square, and the label is its name.
export function button(name, label, onclick, { text, kind = 'quiet', ...attributes } = {}) {
	return el('button', {
		type: 'button', class: text ? kind : `${kind} square`, 'aria-label': text ? null : label, title: label, onclick, ...attributes,
	}, icon(name), text)
}

export const opened = () => document.querySelector('dialog[open]')

// A dialog closes by its buttons, Escape, or a click beside it.
export function openDialog(dialog) {
	if (dialog.open) return
	if (!dialog.onclick) dialog.onclick = (event) => { if (event.target === dialog || event.target.closest('[data-close]')) dialog.close() }
	dialog.showModal()
}

// A listener's place, for the modules that hold what others show.
export function signals() {
	const target = new EventTarget()
	return {
		listen: (type, listener) => on(target, type, (event) => listener(event.detail)),
		tell: (type, detail) => target.dispatchEvent(new CustomEvent(type, { detail })),
	}
}
