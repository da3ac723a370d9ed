// The picker of LoRAs and of words that embeddings teach.
import { api } from './api.js'
import { failed } from './announce.js'
import { $, el, on, openDialog } from './dom.js'
import { lastPrompt, replaceText } from './prompt.js'

let loras = [], embeddings = []

function insert(text, isTag) {
	const area = isTag ? $('prompt') : lastPrompt()
	const at = isTag ? area.value.length : area.selectionEnd
	const before = at > 0 && !/\s$/.test(area.value.slice(0, at)) ? ' ' : ''
	$('adapters').close()
	replaceText(area, at, at, before + text)
}

function show() {
	const wanted = $('adapters-search').value.trim().toLowerCase()
	const part = (title, names, make) => {
		const found = names.filter((name) => name.toLowerCase().includes(wanted))
		return [el('h3', {}, title), found.length
			? el('ul', {}, ...found.map((name) => el('li', {}, el('button', { type: 'button', onclick: () => make(name) }, name))))
			: el('p', { class: 'queue-empty' }, names.length ? 'None of that name.' : 'There are none: --models-dir names a folder with them.')]
	}
	$('adapters-list').replaceChildren(
		...part('LoRAs', loras, (name) => insert(`<lora:${name}:0.8>`, true)),
		...part('Words of embeddings', embeddings, (name) => insert(name, false)))
}

export function setAdapters(lists) {
	loras = lists.loras.map((lora) => lora.name)
	embeddings = lists.embeddings.map((embedding) => embedding.name)
}

export function setUpAdapters() {
	on($('adapters-open'), 'click', async () => {
		$('adapters-search').value = ''
		show()
		openDialog($('adapters'))
		try {
			const [a, b] = await Promise.all([api.get('/loras'), api.get('/embeddings')])
			setAdapters({ loras: a.loras, embeddings: b.embeddings })
			show()
		} catch (error) { failed(error) }
	})
	on($('adapters-search'), 'input', show)
	on($('adapters-search'), 'keydown', (event) => {
		if (event.key !== 'Enter') return
		event.preventDefault()
		$('adapters-list').querySelector('button')?.click()
	})
}
