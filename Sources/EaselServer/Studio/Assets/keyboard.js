// Every shortcut, from which the help is written too.
import { act, actions } from './actions.js'
import { $, el, on, openDialog, opened } from './dom.js'
import { focusGallery } from './gallery.js'
import { generate } from './generate.js'
import { keep, kept } from './kept.js'
import { byId } from './pictures.js'
import { toggleQueue } from './queue.js'
import { clearSelection, pickedPictures, togglePick } from './selection.js'
import { swapSize } from './size.js'
import { cancelRunning } from './stage.js'
import { shownPicture, turn, zoomViewer } from './viewer.js'

const go = (view, work) => { document.body.dataset.view = view; work() }
const focused = () => byId(document.activeElement?.closest('.tile')?.dataset.id)
const turnTheme = () => dispatchEvent(new Event('easel-theme'))

const page = {
	p: ['Prompt', () => go('create', () => $('prompt').focus())],
	n: ['Negative prompt', () => go('create', () => $('negative_prompt').focus())],
	d: ['Another seed', () => $('seed-dice').click()],
	l: ['Keep the seed', () => $('seed-lock').click()],
	w: ['LoRAs and words', () => $('adapters-open').click()],
	y: ['Swap width and height', swapSize],
	g: ['Pictures', () => go('gallery', focusGallery)],
	'/': ['Search', () => go('gallery', () => $('search').select())],
	q: ['Queue', () => toggleQueue()],
	t: ['Light or dark', turnTheme],
	'?': ['These shortcuts', () => openDialog($('help'))],
}
const viewer = { ArrowLeft: ['Newer', () => turn(-1)], ArrowRight: ['Older', () => turn(1)], z: ['Actual pixels', zoomViewer] }
const gallery = { x: ['Select', () => togglePick(focused().id)] }

const lines = (table) => Object.entries(table).map(([key, [what]]) => [{ ArrowLeft: '←', ArrowRight: '→' }[key] ?? key.toUpperCase(), what])
const told = {
	'While writing': [['Ctrl Enter', 'Generate'], ['Ctrl .', 'Cancel'], ['Ctrl ↑', 'More weight for the word'], ['Ctrl ↓', 'Less weight']],
	Page: lines(page),
	Pictures: [['← → ↑ ↓', 'From picture to picture'], ['Enter', 'Open'], ...lines(gallery)],
	'With a picture': Object.values(actions).map(([, what, key]) => [key.length === 1 ? key.toUpperCase() : key, what]),
	Viewer: lines(viewer),
	Comparison: [['← →', 'Move the line'], ['↑ ↓', 'Another picture']],
	Mask: [['B', 'Brush'], ['E', 'Eraser'], ['[ ]', 'Smaller, larger'], ['Ctrl Z', 'Undo'], ['Ctrl Shift Z', 'Redo'], ['I', 'Invert'], ['Delete', 'Clear'],
		['Space', 'Hold to move; paints after arrow keys'], ['+ − 0', 'Zoom in, out, fit'], ['Ctrl Enter', 'Done']],
}

function writeHelp(isMac) {
	const line = ([keys, what]) => el('div', {}, what, el('span', {}, ...keys.split(' ').map((key) => el('kbd', {}, key === 'Ctrl' && isMac ? '⌘' : key))))
	$('help-body').replaceChildren(...Object.entries(told).map(([title, list]) => el('section', {}, el('h3', {}, title), ...list.map(line))))
}

function pressed(event) {
	const { key, target } = event, command = event.ctrlKey || event.metaKey, dialog = opened()
	if (command && key === 'Enter' && !dialog) { event.preventDefault(); generate(); return }
	if (command && key === '.') { event.preventDefault(); cancelRunning(); return }
	if (command || event.altKey || event.isComposing) return
	if (key === 'Escape' && !dialog) {
		if (pickedPictures().length) clearSelection(); else target.blur()
		return
	}
	// In a text every key is a letter; sliders and radio buttons keep their arrows.
	if (target.matches('textarea, select, input:not([type="checkbox"], [type="radio"], [type="range"])')) return
	if (key.startsWith('Arrow') && target.matches('input')) return
	if (!$('single-keys').checked && key.length === 1 && key !== '?') return
	const name = key.length === 1 ? key.toLowerCase() : key
	let done = false
	const run = (table) => { if (table[name]) { table[name][1](); done = true } }
	if (shownPicture() && dialog === $('viewer')) {
		run(viewer)
		done ||= act(name, [shownPicture()])
	} else if (!dialog) {
		if (focused()) run(gallery)
		done ||= act(name, pickedPictures().length ? pickedPictures() : focused() ? [focused()] : [])
		if (!done) run(page)
	}
	if (done) event.preventDefault()
}

export function setUpKeyboard() {
	const isMac = /Mac|iP/.test(navigator.platform)
	$('single-keys').checked = kept('keys') ?? true
	on($('single-keys'), 'change', () => keep('keys', $('single-keys').checked))
	if (isMac) document.querySelector('#generate kbd').textContent = '⌘ ↵'
	writeHelp(isMac)
	on($('help-open'), 'click', () => openDialog($('help')))
	on($('theme-toggle'), 'click', turnTheme)
	on(document, 'keydown', pressed)
}
