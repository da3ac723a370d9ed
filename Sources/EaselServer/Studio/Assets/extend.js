// Outpainting: how far the picture goes on at each side, in numbers and by dragging the edges of a small figure.
import { $, changed, field, on } from './dom.js'

const sides = ['left', 'right', 'top', 'bottom']
const input = (side) => field(`extend.${side}`)
let scale = 1, isDragging = false

export const extension = () => Object.fromEntries(sides.map((side) => [side, Number(input(side).value)]))

export function setExtension(values) {
	for (const side of sides) input(side).value = values[side] ?? 0
}

export function showExtension({ url, width, height }) {
	const { left, right, top, bottom } = extension(), figure = $('extend-figure'), image = $('extend-image')
	const wide = width + left + right, high = height + top + bottom
	// While an edge is dragged the scale stays, so that it keeps under the pointer.
	if (!isDragging) scale = Math.min((figure.clientWidth - 36) / wide, (figure.clientHeight - 30) / high)
	const put = (element, values) => { for (const [name, value] of Object.entries(values)) element.style[name] = `${value * scale}px` }
	put(figure.firstElementChild, { width: wide, height: high })
	put(image, { left, top, width, height })
	if (image.getAttribute('src') !== url) image.src = url
}

export function setUpExtend() {
	for (const edge of $('extend-figure').querySelectorAll('[data-edge]')) {
		const number = input(edge.dataset.edge), isAcross = /left|right/.test(edge.dataset.edge)
		const outwards = /right|bottom/.test(edge.dataset.edge) ? 1 : -1
		const at = (event) => (isAcross ? event.clientX : event.clientY)
		on(edge, 'pointerdown', (down) => {
			down.preventDefault()
			edge.setPointerCapture(down.pointerId)
			isDragging = true
			const from = Number(number.value)
			// The figure is centred: it grows to both sides, so the edge moves half as fast as the picture grows.
			const move = (event) => {
				const pixels = from + ((at(event) - at(down)) * outwards * 2) / scale
				number.value = Math.max(0, Math.min(number.max, Math.round(pixels / 8) * 8))
				changed(number)
			}
			on(edge, 'pointermove', move)
			on(edge, 'lostpointercapture', () => {
				isDragging = false
				edge.removeEventListener('pointermove', move)
				changed(number)
			}, { once: true })
		})
	}
}
