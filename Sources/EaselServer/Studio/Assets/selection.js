// Pictures that are picked in the gallery, and the bar of what can be done with them together.
import { buttons } from './actions.js'
import { $, button, el, signals } from './dom.js'
import { all } from './pictures.js'

const picked = new Set()
const { listen, tell } = signals()
export { listen as onSelection }
export const isPicked = (id) => picked.has(id)
export const pickedPictures = () => all().filter((picture) => picked.has(picture.id))

function show() {
	tell('change')
	$('selection').hidden = picked.size === 0
	if (!picked.size) return
	$('selection').replaceChildren(el('strong', {}, `${picked.size} selected`),
		...buttons(pickedPictures, { kind: 'quiet small', before: clearSelection, names: ['compare', 'favourite', 'trash', 'restore', 'remove'] })
			.filter((one) => one.dataset.action !== 'compare' || picked.size === 2),
		button('close', 'Select none (Esc)', clearSelection, { kind: 'quiet small' }))
}

export function togglePick(id) {
	if (!picked.delete(id)) picked.add(id)
	show()
}

export function clearSelection() {
	picked.clear()
	show()
}
