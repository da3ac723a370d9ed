// The two prompts: tokens counted while one types, weights by keys, LoRAs as chips.
import { api } from './api.js'
import { $, button, changed, el, on } from './dom.js'
import { lorasIn, reweighted } from './weights.js'

// Replaces a range so that the browser's own undo knows of it.
export function replaceText(area, from, to, insert, start = from + insert.length, end = start) {
	area.focus()
	area.setSelectionRange(from, to)
	if (!document.execCommand('insertText', false, insert)) {
		area.setRangeText(insert)
		changed(area)
	}
	area.setSelectionRange(start, end)
}

function changeWeight(area, change) {
	const { from, to, insert, start, end } = reweighted(area.value, area.selectionStart, area.selectionEnd, change) ?? {}
	if (insert) replaceText(area, from, to, insert, start, end)
}

function countTokens(area, output) {
	let timer = 0, abort = null
	const count = async () => {
		abort?.abort()
		abort = new AbortController()
		const text = area.value, model = $('model').value || undefined
		output.classList.remove('over')
		if (!text.trim()) { output.textContent = ''; return }
		try {
			const { count: tokens, limit, chunks } = await api.tokens({ text, model }, abort.signal)
			output.textContent = `${tokens} / ${limit * Math.max(1, chunks)}${chunks > 1 ? ` · ${chunks} chunks` : ''}`
			output.classList.toggle('over', chunks > 1)
			output.title = `${limit} tokens to a chunk`
		} catch { /* the count is a help, not a need */ }
	}
	on(area, 'input', () => { clearTimeout(timer); timer = setTimeout(count, 250) })
	on($('model'), 'change', count)
}

function showLoras() {
	const list = $('prompt-loras'), area = $('prompt'), loras = lorasIn(area.value)
	list.hidden = loras.length === 0
	if (list.contains(document.activeElement) && list.children.length === loras.length) return
	list.replaceChildren(...loras.map(({ name, weight, rest }, index) => {
		const set = (insert) => {
			const { from, to } = lorasIn(area.value)[index]
			area.setRangeText(insert, from, to, 'preserve')
			changed(area)
		}
		return el('li', { class: 'chip' }, name, el('input', {
			type: 'number', step: 0.05, value: weight, 'aria-label': `Weight of ${name}`,
			oninput: ({ target }) => { if (target.value) set(`<lora:${[name, target.value, ...rest].join(':')}>`) },
		}), button('close', `Remove ${name}`, () => { area.focus(); set('') }))
	}))
}

let last = null
export const lastPrompt = () => last ?? $('prompt')

export function setUpPrompts() {
	for (const area of document.querySelectorAll('.compose textarea')) {
		countTokens(area, $(`${area.id}-tokens`))
		on(area, 'input', () => {
			area.style.height = 'auto'
			area.style.height = `${Math.min(area.scrollHeight + 2, innerHeight * 0.4)}px`
		})
		on(area, 'focus', () => { last = area })
		on(area, 'keydown', (event) => {
			if (!(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey || !/^Arrow(Up|Down)$/.test(event.key)) return
			event.preventDefault()
			changeWeight(area, event.key === 'ArrowUp' ? 0.1 : -0.1)
		})
	}
	on($('prompt'), 'input', showLoras)
	for (const control of document.querySelectorAll('[data-weight]')) {
		// The cursor stays in the text: the button does not take the focus by the mouse.
		on(control, 'pointerdown', (event) => event.preventDefault())
		on(control, 'click', () => changeWeight(lastPrompt(), Number(control.dataset.weight)))
	}
}
