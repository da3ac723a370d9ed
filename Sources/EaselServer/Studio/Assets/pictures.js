// The pictures that the gallery has loaded, newest first.
import { api } from './api.js'
import { failed, notice } from './announce.js'
import { signals } from './dom.js'

let list = [], next = null, loading = null, generation = 0
export const filter = { search: '', tag: '', shelf: 'all' }

// 'reset': another list · 'more': pictures at the end · 'new': picture at the start · 'change': picture ·
// 'gone': {picture, next}
const { listen, tell } = signals()
export { listen as onPictures }

const place = (id) => list.findIndex((picture) => picture.id === id)
export const all = () => list
export const hasMore = () => next !== null
export const byId = (id) => list[place(id)]
export const neighbour = (id, step) => (place(id) < 0 ? null : list[place(id) + step] ?? null)

export function setFirst(page) {
	list = page.pictures
	next = page.next ?? null
	tell('reset')
}

const ask = (before) => api.pictures({
	search: filter.search.trim(), tag: filter.tag, limit: 60, before,
	favourite: filter.shelf === 'favourite' || null, trashed: filter.shelf === 'trash' || null,
})

export async function load() {
	const mine = ++generation
	loading = null
	try {
		const page = await ask(null)
		if (mine === generation) setFirst(page)
	} catch (error) { failed(error) }
}

export function loadMore() {
	if (next === null) return null
	const mine = generation
	loading ??= ask(next).then((page) => {
		if (mine !== generation) return
		const fresh = page.pictures.filter((picture) => place(picture.id) < 0)
		list.push(...fresh)
		next = page.next ?? null
		loading = null
		tell('more', fresh)
	}).catch((error) => { loading = null; failed(error) })
	return loading
}

// A picture that was just made: it comes first, unless the gallery shows something narrower.
export function add(picture) {
	if (filter.search || filter.tag || filter.shelf !== 'all') return
	forget(picture)
	list.unshift(picture)
	tell('new', picture)
}

function forget(picture) {
	const index = place(picture.id)
	if (index < 0) return
	list.splice(index, 1)
	tell('gone', { picture, next: list[index] ?? list[index - 1] ?? null })
}

function put(picture) {
	if (place(picture.id) >= 0) list[place(picture.id)] = picture
	tell('change', picture)
	return picture
}

// Each of the pictures by one request, and then, if all went well, the sentence.
async function each(pictures, work, sentence, undo) {
	try {
		for (const picture of pictures) await work(picture)
		const count = pictures.length === 1 ? 'The picture is' : `${pictures.length} pictures are`
		if (sentence) notice(`${count} ${sentence}.`, undo && { label: 'Undo', action: undo })
	} catch (error) { failed(error) }
}

export const tag = (picture, tags) => each([picture], async () => put(await api.change(picture.id, { tags })))

// Favourites all of them, or, where they are, no longer.
export function favour(pictures) {
	const favourite = !pictures.every((picture) => picture.favourite)
	return each(pictures, async (picture) => {
		put(await api.change(picture.id, { favourite }))
		if (filter.shelf === 'favourite' && !favourite) forget(picture)
	})
}

export const trash = (pictures) => each(pictures, async (picture) => {
	put(await api.trash(picture.id))
	forget(picture)
}, 'in the trash', () => restore(pictures))

export async function restore(pictures) {
	await each(pictures, async (picture) => {
		put(await api.restore(picture.id))
		if (filter.shelf === 'trash') forget(picture)
	}, 'back')
	if (filter.shelf !== 'trash') await load()
}

export const remove = (pictures) => each(pictures, async (picture) => {
	await api.remove(picture.id)
	forget(picture)
}, 'deleted')
