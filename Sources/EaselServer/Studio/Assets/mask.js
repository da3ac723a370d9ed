// The mask that is painted: strokes and what was done between them, so that each can be undone.

// Stripes of two colours, so that one of them is seen on any picture.
function stripes(context, side) {
	const tile = new OffscreenCanvas(side, side), pen = tile.getContext('2d'), half = side / 2
	pen.fillStyle = '#ff6a2b'
	pen.fillRect(0, 0, side, side)
	pen.fillStyle = '#fff'
	pen.fill(new Path2D(`M0 0H${half}L0 ${half}zM${side} 0V${half}L${half} ${side}H0z`))
	return context.createPattern(tile, 'repeat')
}

export class Mask {
	constructor(canvas) {
		this.canvas = canvas
		this.context = canvas.getContext('2d', { willReadFrequently: true })
		this.base = null
		this.done = []
		this.undone = []
	}

	open(width, height, base = null) {
		this.canvas.width = width
		this.canvas.height = height
		this.paint = stripes(this.context, Math.max(4, Math.round(Math.min(width, height) / 24)))
		this.base = base && this.#read(base, width, height)
		this.done = []
		this.undone = []
		this.#draw()
	}

	// From a file, where white is what is made anew, to a colour that is opaque there.
	#read({ image, inverted }, width, height) {
		const canvas = new OffscreenCanvas(width, height), context = canvas.getContext('2d')
		context.drawImage(image, 0, 0, width, height)
		const pixels = context.getImageData(0, 0, width, height), data = pixels.data
		for (let i = 0; i < data.length; i += 4) {
			data[i + 3] = inverted ? 255 - data[i] : data[i]
		}
		context.putImageData(pixels, 0, 0)
		context.globalCompositeOperation = 'source-in'
		context.fillStyle = this.paint
		context.fillRect(0, 0, width, height)
		return canvas
	}

	get canUndo() { return this.done.length > 0 }
	get canRedo() { return this.undone.length > 0 }

	begin(point, isErasing) {
		this.stroke = { kind: 'stroke', isErasing, points: [point] }
		this.#paint(this.stroke, 0)
	}

	extend(point) {
		this.stroke.points.push(point)
		this.#paint(this.stroke, this.stroke.points.length - 2)
	}

	end() {
		if (!this.stroke) return
		this.done.push(this.stroke)
		this.undone = []
		this.stroke = null
	}

	// A stroke that turned out to be the first finger of two.
	abandon() {
		if (!this.stroke) return
		this.stroke = null
		this.#draw()
	}

	apply(kind) {
		this.done.push({ kind })
		this.undone = []
		this.#paint({ kind }, 0)
	}

	undo() { if (this.canUndo) { this.undone.push(this.done.pop()); this.#draw() } }
	redo() { if (this.canRedo) { const step = this.undone.pop(); this.done.push(step); this.#paint(step, 0) } }

	get isEmpty() {
		const data = this.context.getImageData(0, 0, this.canvas.width, this.canvas.height).data
		for (let i = 3; i < data.length; i += 4) if (data[i] > 8) return false
		return true
	}

	// White where the picture is made anew, black where it is kept; a PNG.
	async file() {
		const { width, height } = this.canvas
		const canvas = new OffscreenCanvas(width, height), context = canvas.getContext('2d')
		context.drawImage(this.canvas, 0, 0)
		context.globalCompositeOperation = 'source-in'
		context.fillStyle = '#fff'
		context.fillRect(0, 0, width, height)
		context.globalCompositeOperation = 'destination-over'
		context.fillStyle = '#000'
		context.fillRect(0, 0, width, height)
		return canvas.convertToBlob({ type: 'image/png' })
	}

	#draw() {
		this.context.globalCompositeOperation = 'source-over'
		this.context.clearRect(0, 0, this.canvas.width, this.canvas.height)
		if (this.base) this.context.drawImage(this.base, 0, 0)
		for (const step of this.done) this.#paint(step, 0)
	}

	#paint(step, from) {
		const { context } = this, { width, height } = this.canvas
		context.fillStyle = context.strokeStyle = this.paint
		if (step.kind === 'clear') { context.clearRect(0, 0, width, height); return }
		if (step.kind === 'invert') {
			context.globalCompositeOperation = 'xor'
			context.fillRect(0, 0, width, height)
			context.globalCompositeOperation = 'source-over'
			return
		}
		context.globalCompositeOperation = step.isErasing ? 'destination-out' : 'source-over'
		context.lineCap = context.lineJoin = 'round'
		const { points } = step
		for (let i = from; i < points.length; i++) {
			const point = points[i], before = points[Math.max(0, i - 1)]
			context.lineWidth = point.size
			context.beginPath()
			context.moveTo(before.x, before.y)
			context.lineTo(point.x + (i === 0 ? 0.01 : 0), point.y)
			context.stroke()
		}
		context.globalCompositeOperation = 'source-over'
	}
}
