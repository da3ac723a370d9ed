// The gallery: the history, a day at a time, loaded as one scrolls; search, shelves, tags.
import { api } from './api.js'
import { $, el, icon, on } from './dom.js'
import { all, byId, favour, filter, hasMore, load, loadMore, onPictures } from './pictures.js'
import { clearSelection, isPicked, onSelection, pickedPictures, togglePick } from './selection.js'
import { openViewer } from './viewer.js'

const area = $('pictures')

function nameOfDay(date) {
	const now = new Date(), start = (of) => new Date(of.getFullYear(), of.getMonth(), of.getDate())
	const ago = Math.round((start(now) - start(date)) / 86400000)
	if (ago < 2) return ago === 1 ? 'Yesterday' : 'Today'
	return date.toLocaleDateString(undefined, { day: 'numeric', month: 'long', ...(date.getFullYear() === now.getFullYear() ? { weekday: 'long' } : { year: 'numeric' }) })
}

function tile(picture) {
	const control = (name, label, image, isPressed) => el('button', {
		class: name, tabindex: -1, 'aria-label': label, title: label, 'aria-pressed': String(Boolean(isPressed)),
	}, icon(image))
	const item = el('li', { class: 'tile', 'data-id': picture.id },
		el('button', {
			class: 'tile-open', tabindex: -1, draggable: 'true', 'aria-label': picture.prompt?.trim() || 'No prompt',
			ondragstart: (event) => event.dataTransfer.setData('easel/picture', picture.id),
		}, el('img', { src: picture.thumbnail, alt: '', loading: 'lazy', decoding: 'async', width: picture.width, height: picture.height })),
		control('tile-heart', 'Favourite', 'heart', picture.favourite), control('tile-pick', 'Select', 'check', isPicked(picture.id)))
	item.style.setProperty('--ratio', picture.width / picture.height)
	return item
}

const tileOf = (id) => area.querySelector(`[data-id="${id}"]`)
const tiles = () => [...area.querySelectorAll('.tile-open')]

function place(picture, where) {
	const name = nameOfDay(new Date(picture.created))
	let day = where === 'prepend' ? area.firstElementChild : area.lastElementChild
	if (day?.dataset.day !== name) {
		day = el('section', { class: 'day', 'data-day': name, 'aria-label': name }, el('h2', {}, name), el('ul', { class: 'tiles' }))
		area[where](day)
	}
	day.lastElementChild[where](tile(picture))
}

// One tile takes the tab key; the arrows go on from there.
function makeReachable(wanted) {
	const reachable = area.querySelectorAll('[tabindex="0"]')
	const current = wanted ?? reachable[0] ?? tiles()[0]
	for (const other of reachable) other.tabIndex = -1
	if (current) current.tabIndex = 0
}

function showEnd() {
	const none = { all: 'Pictures that you make are kept here.', favourite: 'No favourites yet: press F on a picture.', trash: 'The trash is empty.' }
	$('gallery-end').textContent = all().length ? '' : filter.search || filter.tag ? 'Nothing was found.' : none[filter.shelf]
}

export function focusGallery() {
	area.querySelector('[tabindex="0"]')?.focus()
}

function step(from, key) {
	const list = tiles(), index = list.indexOf(from)
	const simple = { ArrowLeft: list[index - 1], ArrowRight: list[index + 1], Home: list[0], End: list.at(-1) }
	if (key in simple) return simple[key]
	const box = from.getBoundingClientRect(), middle = (of) => of.left + of.width / 2, isDown = key === 'ArrowDown'
	let best = null, row = null, least = Infinity
	for (let i = index; list[i]; i += isDown ? 1 : -1) {
		const other = list[i].getBoundingClientRect()
		if (isDown ? other.top < box.bottom - 4 : other.bottom > box.top + 4) continue
		row ??= other.top
		if (Math.abs(other.top - row) > 8) break
		const way = Math.abs(middle(other) - middle(box))
		if (way < least) [least, best] = [way, list[i]]
	}
	return best
}

export async function showTags() {
	try {
		const { tags } = await api.tags()
		$('tags').hidden = tags.length === 0
		$('tags').replaceChildren(...tags.slice(0, 24).map(({ name, count }) => el('button', {
			class: 'chip', 'aria-pressed': String(filter.tag === name),
			onclick: () => { filter.tag = filter.tag === name ? '' : name; load(); showTags() },
		}, name, el('span', { class: 'hint' }, count))))
	} catch { /* tags are a help */ }
}

function showAll(pictures) {
	for (const picture of pictures) place(picture, 'append')
	makeReachable()
	showEnd()
}

export function setUpGallery() {
	onPictures('reset', () => { clearSelection(); area.replaceChildren(); showAll(all()) })
	onPictures('more', showAll)
	onPictures('new', (picture) => { place(picture, 'prepend'); showAll([]) })
	onPictures('change', (picture) => {
		const changed = tileOf(picture.id)
		if (changed) changed.children[1].ariaPressed = picture.favourite
	})
	onPictures('gone', ({ picture, next }) => {
		const gone = tileOf(picture.id), day = gone?.closest('.day'), hadFocus = gone?.contains(document.activeElement)
		gone?.remove()
		if (day && !day.querySelector('.tile')) day.remove()
		const open = next && tileOf(next.id)?.firstElementChild
		makeReachable(hadFocus ? open : undefined)
		if (hadFocus) open?.focus()
		showEnd()
		if (all().length < 20 && hasMore()) loadMore()
	})
	onSelection('change', () => {
		area.classList.toggle('picking', pickedPictures().length > 0)
		for (const one of area.querySelectorAll('.tile')) {
			one.classList.toggle('picked', isPicked(one.dataset.id))
			one.lastElementChild.ariaPressed = isPicked(one.dataset.id)
		}
	})

	on(area, 'click', (event) => {
		const id = event.target.closest('.tile')?.dataset.id
		if (!id) return
		if (event.target.closest('.tile-heart')) favour([byId(id)])
		else if (event.target.closest('.tile-pick') || pickedPictures().length || event.ctrlKey || event.metaKey) togglePick(id)
		else openViewer(byId(id))
	})
	on(area, 'focusin', (event) => { if (event.target.matches('.tile-open')) makeReachable(event.target) })
	on(area, 'keydown', (event) => {
		if (!event.target.matches('.tile-open') || event.ctrlKey || event.metaKey || event.altKey || !/^(Arrow|Home|End)/.test(event.key)) return
		event.preventDefault()
		const to = step(event.target, event.key)
		to?.focus()
		if (!to || event.key === 'End') loadMore()
	})

	let timer = 0
	on($('search'), 'input', () => {
		clearTimeout(timer)
		timer = setTimeout(() => { filter.search = $('search').value; load() }, 250)
	})
	on($('gallery'), 'change', (event) => {
		if (event.target.name === 'shelf') { filter.shelf = event.target.value; load() }
	})
	const end = $('gallery-end')
	const observer = new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) loadMore() },
		{ root: $('main'), rootMargin: '900px' })
	// It tells of changes: an end that is still near, as on a large screen, is told only where it is observed anew.
	const observe = () => { observer.unobserve(end); observer.observe(end) }
	onPictures('reset more', observe)
	observe()
}
