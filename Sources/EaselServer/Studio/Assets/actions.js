// What can be done with pictures: buttons, keys and the help come from this table.
import { notice } from './announce.js'
import { openCompare } from './compare.js'
import { $, button, el } from './dom.js'
import { favour, neighbour, remove, restore, trash } from './pictures.js'
import { fill } from './settings.js'
import { startFromPicture } from './start.js'

function leave() {
	if ($('viewer').open) $('viewer').close()
	document.body.dataset.view = 'create'
}

const begin = (as) => ([picture]) => { leave(); startFromPicture(picture, as) }

function use([picture]) {
	leave()
	fill({ ...picture.settings, prompt: picture.settings?.prompt ?? picture.prompt, seed: picture.seed, count: 1 })
	notice('The settings are those of the picture.')
}

function compare([second, first]) {
	if (first) { openCompare(first, second, 'second'); return }
	const older = neighbour(second.id, 1), newer = neighbour(second.id, -1)
	if (older) openCompare(older, second, 'first')
	else if (newer) openCompare(second, newer, 'second')
	else notice('There is no other picture to compare with.')
}

const download = ([picture]) => el('a', { href: picture.file, download: `${picture.seed}-${picture.id.slice(0, 8)}.png` }).click()

// name: icon, label, key, work, the most pictures at once
export const actions = {
	use: ['settings', 'Use these settings', 'u', use, 1],
	start: ['picture', 'Start from it', 'i', begin('whole'), 1],
	inpaint: ['brush', 'Inpaint', 'm', begin('inpaint'), 1],
	extend: ['extend', 'Extend', 'o', begin('extend'), 1],
	compare: ['compare', 'Compare', 'c', compare, 2],
	favourite: ['heart', 'Favourite', 'f', favour],
	download: ['download', 'Download', 's', download, 1],
	trash: ['trash', 'Trash', 'Delete', trash],
	restore: ['restore', 'Restore', 'r', restore],
	remove: ['trash', 'Delete forever', 'Delete', remove],
}

const isFor = (name, pictures) => pictures.length > 0 && (actions[name][4] ?? Infinity) >= pictures.length
	&& (name === 'compare' || ['restore', 'remove'].includes(name) === Boolean(pictures[0].trashed))

// Does what the key says with the pictures; whether there was anything.
export function act(key, pictures) {
	const name = Object.keys(actions).find((one) => actions[one][2] === key && isFor(one, pictures))
	if (name) actions[name][3](pictures)
	return Boolean(name)
}

// `given` tells the pictures at the time of the click.
export function buttons(given, { names = Object.keys(actions), kind = 'quiet', isText = true, before = () => {} } = {}) {
	const pictures = given()
	return names.filter((name) => isFor(name, pictures)).map((name) => {
		const [image, label, key, work] = actions[name]
		const isHeart = name === 'favourite'
		return button(image, `${label} (${key.length === 1 ? key.toUpperCase() : key})`, () => { const now = given(); before(); work(now) }, {
			text: isText && label, kind: `${kind} ${isHeart ? 'heart' : ''}`, 'data-action': name,
			'aria-pressed': isHeart ? String(pictures.every((picture) => picture.favourite)) : null,
		})
	})
}
