// What happened, said to the eye (a notice that goes by itself) and to screen readers.
import { $, el, on } from './dom.js'

let last = 0

export function announce(text) {
	const place = $('announcer')
	place.textContent = ''
	clearTimeout(last)
	last = setTimeout(() => { place.textContent = text }, 60)
}

export function notice(text, { bad = false, action = null, label = null, seconds = bad ? 9 : 6 } = {}) {
	announce(text)
	const toast = el('div', { class: bad ? 'toast bad' : 'toast' }, el('span', {}, text))
	const remove = () => toast.remove()
	if (action) toast.append(el('button', { type: 'button', class: 'quiet small', onclick: () => { remove(); action() } }, label))
	$('toasts').append(toast)
	while ($('toasts').children.length > 3) $('toasts').firstChild.remove()
	let timer = setTimeout(remove, seconds * 1000)
	on(toast, 'click', remove)
	on(toast, 'pointerenter', () => clearTimeout(timer))
	on(toast, 'pointerleave', () => { timer = setTimeout(remove, 3000) })
}

export function failed(error) {
	if (error.name === 'AbortError') return
	notice(error.message, { bad: true })
}
