// Files dragged over the page, pasted or chosen.
import { api } from './api.js'
import { failed, notice } from './announce.js'
import { $, on, opened } from './dom.js'
import { byId } from './pictures.js'
import { fill } from './settings.js'
import { startFromFile, startFromPicture } from './start.js'

async function readSettings(file) {
	try {
		const { settings } = await api.upload(file)
		if (settings) fill(settings)
		notice(settings ? `The settings are those of ${file.name}.` : `${file.name} carries no settings.`, { bad: !settings })
	} catch (error) { failed(error) }
}

async function start(file) {
	document.body.dataset.view = 'create'
	const settings = await startFromFile(file)
	if (settings) notice('The picture carries its settings.', { label: 'Use them', action: () => fill(settings) })
}

function take(files, work) {
	const file = [...files].find((one) => one.type.startsWith('image/'))
	if (file) work(file); else notice('That is not a picture: PNG, JPEG and WebP are read.', { bad: true })
}

export function setUpDrop() {
	const cover = $('drop'), own = 'easel/picture'
	let depth = 0
	const has = (event, type) => event.dataTransfer?.types.includes(type)
	on(window, 'dragenter', (event) => {
		if (!has(event, 'Files') || opened()) return
		depth++
		cover.hidden = false
	})
	on(window, 'dragleave', (event) => {
		if (!has(event, 'Files')) return
		// What came in over a dialog was not counted.
		depth = Math.max(0, depth - 1)
		if (depth === 0) cover.hidden = true
	})
	on(window, 'dragover', (event) => {
		if (has(event, 'Files') || (has(event, own) && event.target.closest('#compose'))) event.preventDefault()
		for (const half of cover.children) half.classList.toggle('over', half === event.target.closest('.drop-half'))
	})
	on(window, 'drop', (event) => {
		const picture = has(event, own) && event.target.closest('#compose') && byId(event.dataTransfer.getData(own))
		if (picture || has(event, 'Files')) event.preventDefault()
		if (picture) startFromPicture(picture, 'whole')
		if (!has(event, 'Files')) return
		depth = 0
		cover.hidden = true
		take(event.dataTransfer.files, event.target.closest('[data-drop="settings"]') ? readSettings : start)
	})
	on(window, 'paste', (event) => {
		if (!event.clipboardData?.files.length || opened()) return
		event.preventDefault()
		take(event.clipboardData.files, start)
	})
	for (const [opener, input, work] of [['start-choose', 'start-file', start], ['settings-read', 'settings-file', readSettings]]) {
		on($(opener), 'click', () => $(input).click())
		on($(input), 'change', () => { take($(input).files, work); $(input).value = '' })
	}
}
