// The dialog in which a mask is painted over the starting picture.
import { announce } from './announce.js'
import { $, on, openDialog } from './dom.js'
import { Mask } from './mask.js'
import { paintSlider } from './settings.js'
import { View } from './view.js'

const dialog = $('editor'), frame = $('editor-view'), slider = $('brush-size'), cursor = $('brush-cursor')
let resolve = null, result, isHeld = false, pinch = null
const mask = new Mask($('editor-mask')), view = new View(frame, $('editor-sheet')), pointers = new Map()
// Where the brush is, in the sheet's pixels; the keys move it too.
let brush = { x: 0, y: 0, isByKeys: false }

const tool = () => dialog.querySelector('[name="tool"]:checked').value
const setTool = (name) => { dialog.querySelector(`[name="tool"][value="${name}"]`).click() }
// A share of the picture's smaller side, growing as a square: fine at the small end.
const brushSize = () => Math.max(1, (Number(slider.value) / 100) ** 2 * Math.min(view.width, view.height) * 0.8)

function showBrush() {
	const size = brushSize() * view.scale
	cursor.style.width = cursor.style.height = `${size}px`
	cursor.style.transform = `translate(${brush.x * view.scale + view.x - size / 2}px, ${brush.y * view.scale + view.y - size / 2}px)`
}

function show() {
	$('editor-zoom').textContent = `${Math.round(view.scale * 100)} %`
	frame.dataset.tool = tool()
	for (const [name, can] of [['undo', mask.canUndo], ['redo', mask.canRedo]]) dialog.querySelector(`[data-edit="${name}"]`).disabled = !can
	paintSlider(slider)
	showBrush()
}

const actions = {
	undo: () => mask.undo(), redo: () => mask.redo(),
	invert: () => { mask.apply('invert'); announce('The mask is inverted.') },
	clear: () => { mask.apply('clear'); announce('The mask is cleared.') },
	in: () => view.zoom(1.25), out: () => view.zoom(0.8), fit: () => view.fit(),
}
const act = (name) => { actions[name](); show() }

const at = (event) => ({ ...view.point(event), size: brushSize() * (event.pointerType === 'pen' ? Math.max(0.1, event.pressure) : 1) })

function down(event) {
	if (event.button > 1) return
	frame.setPointerCapture(event.pointerId)
	pointers.set(event.pointerId, { x: event.clientX, y: event.clientY })
	brush = { ...view.point(event), isByKeys: false }
	if (pointers.size === 2) { mask.abandon(); pinch = spread(); return }
	if (event.button === 1 || isHeld || tool() === 'pan') { frame.classList.add('panning'); return }
	mask.begin(at(event), tool() === 'erase')
}

function spread() {
	const [a, b] = [...pointers.values()], box = frame.getBoundingClientRect()
	return { x: (a.x + b.x) / 2 - box.left, y: (a.y + b.y) / 2 - box.top, distance: Math.hypot(a.x - b.x, a.y - b.y) || 1 }
}

function move(event) {
	brush = { ...view.point(event), isByKeys: false }
	cursor.hidden = event.pointerType === 'touch' || tool() === 'pan'
	const before = pointers.get(event.pointerId)
	if (before) {
		pointers.set(event.pointerId, { x: event.clientX, y: event.clientY })
		if (pinch) {
			const next = spread()
			view.pan(next.x - pinch.x, next.y - pinch.y)
			view.zoom(next.distance / pinch.distance, next.x, next.y)
			pinch = next
		} else if (mask.stroke) {
			for (const one of event.getCoalescedEvents?.() ?? [event]) mask.extend(at(one))
		} else view.pan(event.clientX - before.x, event.clientY - before.y)
	}
	showBrush()
}

function up(event) {
	if (!pointers.delete(event.pointerId)) return
	if (pointers.size < 2) pinch = null
	if (pointers.size === 0) { mask.end(); frame.classList.remove('panning') }
	show()
}

const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }

function key(event) {
	const isInField = event.target.matches('input')
	const command = event.ctrlKey || event.metaKey
	let name = null
	if (command && event.key.toLowerCase() === 'z') name = event.shiftKey ? 'redo' : 'undo'
	else if (command && event.key.toLowerCase() === 'y') name = 'redo'
	else if (command && event.key === 'Enter') { event.preventDefault(); $('editor-done').click(); return }
	else if (!command && !event.altKey) name = { i: 'invert', Delete: 'clear', '+': 'in', '=': 'in', '-': 'out', 0: 'fit' }[event.key] ?? null
	if (name) { event.preventDefault(); act(name); return }
	if (command || event.altKey) return
	if (event.key === 'b') setTool('brush')
	else if (event.key === 'e') setTool('erase')
	else if (event.key === '[' || event.key === ']') {
		slider.value = Number(slider.value) + (event.key === ']' ? 4 : -4)
		show()
	} else if (event.target === frame && arrows[event.key]) {
		event.preventDefault()
		const [x, y] = arrows[event.key], step = Math.max(2, brushSize() / 4)
		const from = { ...brush, size: brushSize() }
		brush = {
			x: Math.min(view.width, Math.max(0, brush.x + x * step)), y: Math.min(view.height, Math.max(0, brush.y + y * step)), isByKeys: true,
		}
		if (event.shiftKey) { mask.begin(from, tool() === 'erase'); mask.extend({ ...brush, size: brushSize() }); mask.end() }
		cursor.hidden = false
		show()
	} else if (event.key === ' ' && !isInField && event.target === frame) {
		event.preventDefault()
		if (brush.isByKeys) {
			if (!event.repeat) { mask.begin({ ...brush, size: brushSize() }, tool() === 'erase'); mask.end(); show() }
		} else if (!isHeld) { isHeld = true; frame.classList.add('panning') }
	}
}

// Resolves to the mask as a PNG, null where nothing is masked, or undefined where the dialog was cancelled.
export async function openEditor(start) {
	$('editor-image').src = start.url
	let base = null
	if (start.maskURL) {
		const image = new Image()
		image.src = start.maskURL
		try { await image.decode(); base = { image, inverted: start.inverted } } catch { /* a mask that is gone */ }
	}
	openDialog(dialog)
	mask.open(start.width, start.height, base)
	view.open(start.width, start.height)
	brush = { x: start.width / 2, y: start.height / 2, isByKeys: true }
	result = undefined
	frame.focus()
	show()
	return new Promise((done) => { resolve = done })
}

export function setUpEditor() {
	view.onchange = show
	on(frame, 'pointerdown', down)
	on(frame, 'pointermove', move)
	on(frame, 'pointerup pointercancel', up)
	on(frame, 'pointerenter', (event) => { if (!event.buttons) frame.focus() })
	on(frame, 'pointerleave', () => { cursor.hidden = true })
	on(frame, 'wheel', (event) => {
		event.preventDefault()
		const box = frame.getBoundingClientRect()
		if (event.shiftKey) view.pan(-event.deltaY, 0)
		else view.zoom(Math.exp(-event.deltaY * 0.0015), event.clientX - box.left, event.clientY - box.top)
	}, { passive: false })
	on(dialog, 'keydown', key)
	on(dialog, 'keyup', (event) => {
		if (event.key === ' ') { isHeld = false; if (!pointers.size) frame.classList.remove('panning') }
	})
	for (const control of dialog.querySelectorAll('[data-edit]')) on(control, 'click', () => act(control.dataset.edit))
	on(dialog, 'input', show)
	on($('editor-done'), 'click', async () => {
		mask.end()
		result = mask.isEmpty ? null : await mask.file()
		dialog.close()
	})
	on(dialog, 'close', () => { pointers.clear(); pinch = null; isHeld = false; resolve?.(result); resolve = null })
	on(window, 'resize', () => { if (dialog.open) view.fit() })
}
