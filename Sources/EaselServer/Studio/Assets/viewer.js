// One picture, large, with its settings and what can be done with it.
import { buttons } from './actions.js'
import { announce, notice } from './announce.js'
import { facts } from './details.js'
import { $, button, el, on, openDialog } from './dom.js'
import { showTags } from './gallery.js'
import { hasMore, loadMore, neighbour, onPictures, tag } from './pictures.js'

const dialog = $('viewer'), side = $('viewer-details'), row = $('viewer-actions'), zoom = $('viewer-zoom')
let shown = null

export const shownPicture = () => (dialog.open ? shown : null)

async function copy(text) {
	try { await navigator.clipboard.writeText(text); notice('Copied.') } catch { notice('The browser does not allow copying here.', { bad: true }) }
}

async function setTags(tags) {
	await tag(shown, tags)
	showTags()
}

function tagEditor(picture) {
	const tags = picture.tags ?? [], input = el('input', { placeholder: 'Add a tag', 'aria-label': 'Add a tag', maxlength: 60 })
	const add = async (event) => {
		event.preventDefault()
		const name = input.value.trim()
		if (!name || tags.includes(name)) return
		await setTags([...tags, name])
		side.querySelector('.tag-form input')?.focus()
	}
	return el('div', {}, el('h3', {}, 'Tags'),
		el('ul', { class: 'chips' }, ...tags.map((name) => el('li', { class: 'chip' }, name,
			button('close', `Remove the tag ${name}`, () => setTags(tags.filter((other) => other !== name)))))),
		el('form', { class: 'tag-form', onsubmit: add }, input, el('button', { class: 'small' }, 'Add')))
}

function details(picture) {
	const part = (title, text, ...content) => text && el('div', {},
		el('h3', {}, title, button('copy', `Copy: ${title}`, () => copy(text), { kind: 'quiet small' })), ...content)
	const words = (title, text) => part(title, text, el('p', { class: 'words' }, text))
	return [
		words('Prompt', picture.prompt), words('Negative prompt', picture.negative_prompt),
		part('Settings', picture.parameters || ' ', el('dl', { class: 'facts' }, ...facts(picture).flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]))),
		tagEditor(picture),
		el('p', { class: 'hint' }, new Date(picture.created).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })),
	].filter(Boolean)
}

function show(picture) {
	if (shown?.id !== picture.id) {
		zoom.classList.remove('actual')
		$('viewer-image').src = picture.file
		$('viewer-image').alt = picture.prompt || 'Picture without a prompt'
	}
	shown = picture
	$('viewer-title').textContent = picture.trashed ? 'In the trash' : 'Picture'
	$('viewer-previous').disabled = !neighbour(picture.id, -1)
	$('viewer-next').disabled = !neighbour(picture.id, 1) && !hasMore()
	row.replaceChildren(...buttons(() => [shown], { kind: '' }))
	row.querySelector('[data-action="use"]')?.classList.add('primary')
	side.replaceChildren(...details(picture))
}

export async function turn(step) {
	if (step > 0 && !neighbour(shown.id, 1) && hasMore()) await loadMore()
	const next = shown && neighbour(shown.id, step)
	if (!next) return
	show(next)
	announce(next.prompt || 'Picture')
	const after = neighbour(next.id, step)
	if (after) new Image().src = after.file
}

export function openViewer(picture) {
	show(picture)
	openDialog(dialog)
}

export function zoomViewer() { zoom.classList.toggle('actual') }

export function setUpViewer() {
	on($('viewer-previous'), 'click', () => turn(-1))
	on($('viewer-next'), 'click', () => turn(1))
	on(zoom, 'click', zoomViewer)
	on(dialog, 'close', () => {
		if (shown) $('pictures').querySelector(`[data-id="${shown.id}"] .tile-open`)?.focus()
		shown = null
	})
	onPictures('change', (picture) => {
		if (shown?.id !== picture.id) return
		const name = document.activeElement?.dataset.action
		show(picture)
		row.querySelector(`[data-action="${name}"]`)?.focus()
	})
	onPictures('gone', ({ picture, next }) => {
		if (shown?.id !== picture.id) return
		if (next) show(next); else dialog.close()
	})
	// A swipe turns to the next one.
	let from = 0
	on($('viewer-picture'), 'touchstart', (event) => { from = event.touches[0].clientX }, { passive: true })
	on($('viewer-picture'), 'touchend', (event) => {
		const way = event.changedTouches[0].clientX - from
		if (Math.abs(way) > 60 && !zoom.classList.contains('actual')) turn(way > 0 ? -1 : 1)
	})
}
