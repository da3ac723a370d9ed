// The picture to start from: dropped, pasted, chosen or taken from the gallery; all of it, a mask of it, or beyond it.
import { api, pictureFile, uploadFile } from './api.js'
import { announce, failed, notice } from './announce.js'
import { $, changed, field, on } from './dom.js'
import { openEditor } from './editor.js'
import { extension, setExtension, showExtension } from './extend.js'
import { allowed, fitted, setSize } from './size.js'

const form = $('compose'), section = $('start')
// {id, url, width, height, mask: the upload's id or null, inverted: whether the mask's black is meant}
let start = null
// What the server takes where settings say nothing of it.
const usual = { strength: 0.75, resize: 'stretch', fill: 'original' }
// How often it was chosen: what was found for an earlier choice comes too late.
let choices = 0

const mode = () => field('start-mode').value
export const startState = () => start && { id: start.id, mask: start.mask, inverted: start.inverted }

export function readStart() {
	if (!start) return {}
	const number = (name) => Number(field(name).value)
	const settings = { init_image: start.id, strength: number('strength') }
	if (mode() === 'extend') {
		const sides = extension()
		return Object.values(sides).some(Boolean) ? { ...settings, extend: sides } : settings
	}
	settings.resize = field('resize').value
	if (mode() === 'inpaint' && start.mask) {
		Object.assign(settings, { mask: start.mask, fill: field('fill').value, mask_blur: number('mask_blur') })
		if (start.inverted) settings.mask_invert = true
		if (field('only_masked').checked) settings.only_masked_padding = number('only_masked_padding')
	}
	return settings
}

function show() {
	const current = mode()
	$('start-empty').hidden = Boolean(start)
	$('start-chosen').hidden = !start
	for (const part of section.querySelectorAll('[data-mode]')) part.hidden = !part.dataset.mode.includes(current)
	$('padding-field').hidden = !field('only_masked').checked
	if (!start) return
	if ($('start-image').getAttribute('src') !== start.url) $('start-image').src = start.url
	$('start-mask').hidden = !(current === 'inpaint' && start.mask)
	if (start.mask) $('start-mask').src = uploadFile(start.mask)
	$('start-size').textContent = `${start.width} × ${start.height}${current !== 'inpaint' ? '' : start.mask ? ', masked' : ', no mask yet'}`
	if (current === 'extend') showExtension(start)
}

function put(next, as = null, size = null) {
	choices++
	start = next
	if (as) field('start-mode').value = as
	if (size) {
		section.scrollIntoView({ block: 'nearest' })
		announce('The picture is the starting picture now.')
		setSize(size)
		setExtension({})
	}
	if (start && as) suitStrength()
	show()
	changed(form)
}

// What lies beyond the edges has nothing to keep.
function suitStrength() {
	if (mode() === 'extend' && field('strength').value === '0.75') field('strength').value = 1
	else if (mode() !== 'extend' && field('strength').value === '1') field('strength').value = 0.75
}

// A picture or an upload by its id; null where the server has neither.
async function found(id) {
	for (const url of [uploadFile(id), pictureFile(id)]) {
		const image = new Image()
		image.src = url
		try {
			await image.decode()
			return { id, url, width: image.naturalWidth, height: image.naturalHeight, mask: null, inverted: false }
		} catch { /* the other kind, then */ }
	}
	return null
}

export function startFromPicture({ id, file, width, height }, as) {
	put({ id, url: file, width, height, mask: null, inverted: false }, as, allowed(width, height))
	if (as === 'inpaint') editMask()
}

// Returns the settings that the file carries, or null.
export async function startFromFile(file) {
	try {
		const { id, width, height, settings } = await api.upload(file)
		put({ id, url: uploadFile(id), width, height, mask: null, inverted: false }, 'whole', fitted(width / height))
		return settings
	} catch (error) { failed(error); return null }
}

// From the settings of a picture: its own starting picture, if the server still has it.
export async function fillStart(settings) {
	const mine = ++choices
	const next = settings.init_image ? await found(settings.init_image) : null
	if (mine !== choices) return
	if (settings.init_image && !next) notice('The starting picture of these settings is no longer here.')
	if (!next) { put(null); return }
	const { extend, mask = null, only_masked_padding: padding = null } = settings
	for (const [name, value] of Object.entries(usual)) field(name).value = settings[name] ?? value
	field('mask_blur').value = settings.mask_blur ?? 0
	field('only_masked').checked = padding !== null
	if (padding !== null) field('only_masked_padding').value = padding
	setExtension(extend ?? {})
	field('start-mode').value = extend ? 'extend' : mask ? 'inpaint' : 'whole'
	put({ ...next, mask, inverted: Boolean(settings.mask_invert) })
}

async function editMask() {
	field('start-mode').value = 'inpaint'
	suitStrength()
	show()
	const of = start, mask = await openEditor({ ...of, maskURL: of.mask && uploadFile(of.mask) })
	if (mask === undefined || start !== of) return
	try {
		start.mask = mask && (await api.upload(mask)).id
		start.inverted = false
		put(start)
		announce(mask ? 'The mask is set.' : 'The mask is empty.')
	} catch (error) { failed(error) }
}

export async function setUpStart(before, resizes) {
	const words = { crop: 'cutting', stretch: 'stretching', fill: 'filling the edges', pad: 'filling the edges' }
	field('resize').replaceChildren(...resizes.map((name) => new Option(words[name] ?? name, name)))
	on($('start-clear'), 'click', () => put(null))
	on($('mask-open'), 'click', editMask)
	on($('start-picture'), 'click', editMask)
	on(section, 'change', (event) => {
		if (event.target.name === 'start-mode') suitStrength()
		show()
		changed(form)
	})
	on(form, 'reset', () => setTimeout(() => put(null)))
	on($('extend'), 'input', () => {
		const { left, right, top, bottom } = extension()
		showExtension(start)
		setSize(allowed(start.width + left + right, start.height + top + bottom))
	})
	show()
	const mine = choices
	const next = before && await found(before.id)
	if (next && mine === choices) put({ ...next, mask: before.mask, inverted: before.inverted })
}
