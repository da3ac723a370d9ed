// Width and height: shapes of about the model's own area, a swap, and sizes for starting pictures.
import { $, changed, on } from './dom.js'

let models = [], limits = { min: 64, max: 2048, multiple: 8 }

export function setSizes(list, given) {
	models = list
	limits = { ...limits, ...given }
}

function own() {
	const model = models.find((one) => one.name === $('model').value) ?? models.find((one) => one.current)
	return { width: model?.width || 512, height: model?.height || 512 }
}

const whole = (side) => Math.min(limits.max, Math.max(limits.min, Math.round(side / limits.multiple) * limits.multiple))

// A size of that shape with about the area that the model knows.
export function fitted(ratio) {
	const { width, height } = own(), area = width * height
	return { width: whole(Math.sqrt(area * ratio)), height: whole(Math.sqrt(area / ratio)) }
}

// The same shape, with sides that a picture may have.
export function allowed(width, height) {
	const scale = Math.min(1, limits.max / Math.max(width, height))
	return { width: whole(width * scale), height: whole(height * scale) }
}

export function setSize({ width, height }) {
	$('width').value = width
	$('height').value = height
	changed($('width'))
}

export function swapSize() {
	setSize({ width: $('height').value || own().height, height: $('width').value || own().width })
}

export function setUpSize() {
	const controls = [...$('ratios').children], ratio = (control) => control.dataset.ratio.split(':').reduce((a, b) => a / b)
	const show = () => {
		const size = own()
		$('width').placeholder = size.width
		$('height').placeholder = size.height
		const shape = ($('width').value || size.width) / ($('height').value || size.height)
		for (const control of controls) {
			const like = fitted(ratio(control))
			control.ariaPressed = Math.abs(shape - like.width / like.height) < 0.015
		}
	}
	for (const control of controls) on(control, 'click', () => setSize(fitted(ratio(control))))
	on($('size-swap'), 'click', swapSize)
	on($('compose'), 'input', show)
	on($('model'), 'change', show)
	show()
}
