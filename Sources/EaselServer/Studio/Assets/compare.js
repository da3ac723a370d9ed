// Two pictures over each other, with a line to drag between them, and what differs in their settings.
import { announce } from './announce.js'
import { differences } from './details.js'
import { $, el, on, openDialog } from './dom.js'
import { neighbour } from './pictures.js'

const frame = $('compare-frame'), line = $('compare-split')
// `moving` is the one that the up and down keys change.
let first = null, second = null, moving = 'second'

function fit() {
	const { clientWidth, clientHeight } = frame.parentElement, ratio = first.width / first.height
	const width = Math.max(80, Math.min(clientWidth - 40, (clientHeight - 40) * ratio))
	frame.style.width = `${width}px`
	frame.style.height = `${width / ratio}px`
}

function show() {
	for (const [name, picture] of [['first', first], ['second', second]]) {
		$(`compare-${name}`).src = picture.file
		$(`compare-${name}`).alt = picture.prompt || 'Picture without a prompt'
	}
	const row = ([name, ...cells], tag = 'td') => el('tr', {}, el('th', { scope: tag === 'td' ? 'row' : 'col' }, name), ...cells.map((text) => el(tag, {}, text)))
	const rows = differences(first, second)
	$('compare-differences').replaceChildren(rows.length
		? el('table', {}, el('thead', {}, row(['Difference', 'A', 'B'], 'th')), el('tbody', {}, ...rows.map((cells) => row(cells))))
		: el('p', { class: 'hint' }, 'Their settings are the same.'))
	fit()
}

const split = () => frame.style.setProperty('--split', `${line.value}%`)

export function openCompare(a, b, walking) {
	[first, second, moving] = [a, b, walking]
	openDialog($('compare'))
	line.value = 50
	split()
	show()
	line.focus()
}

function walk(step) {
	const isFirst = moving === 'first', other = isFirst ? second : first
	let next = neighbour((isFirst ? first : second).id, step)
	if (next?.id === other.id) next = neighbour(next.id, step)
	if (!next) return
	if (isFirst) first = next; else second = next
	show()
	announce(next.prompt || 'Picture')
}

export function setUpCompare() {
	on(line, 'input', split)
	// The line is where the pointer is, not where a slider's thumb would be.
	on(line, 'pointerdown pointermove', (event) => {
		if (!event.buttons) return
		event.preventDefault()
		line.setPointerCapture(event.pointerId)
		line.focus()
		const box = frame.getBoundingClientRect()
		line.value = ((event.clientX - box.left) / box.width) * 100
		split()
	})
	on(line, 'keydown', (event) => {
		if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return
		event.preventDefault()
		walk(event.key === 'ArrowDown' ? 1 : -1)
	})
	on($('compare-swap'), 'click', () => {
		[first, second, moving] = [second, first, moving === 'first' ? 'second' : 'first']
		show()
	})
	on(window, 'resize', () => { if ($('compare').open) fit() })
}
