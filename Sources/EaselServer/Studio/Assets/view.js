// Where a sheet lies in its window: zoom and pan.

export class View {
	constructor(frame, sheet) {
		Object.assign(this, { frame, sheet, width: 1, height: 1, scale: 1, x: 0, y: 0 })
	}

	open(width, height) {
		Object.assign(this, { width, height })
		this.sheet.style.width = `${width}px`
		this.sheet.style.height = `${height}px`
		this.fit()
	}

	fit() {
		const { clientWidth, clientHeight } = this.frame
		this.scale = Math.min(12, (clientWidth - 48) / this.width, (clientHeight - 48) / this.height)
		this.x = (clientWidth - this.width * this.scale) / 2
		this.y = (clientHeight - this.height * this.scale) / 2
		this.show()
	}

	// About a point of the frame, in its pixels; by default its middle.
	zoom(factor, x = this.frame.clientWidth / 2, y = this.frame.clientHeight / 2) {
		const scale = Math.min(40, Math.max(0.05, this.scale * factor))
		this.x = x - ((x - this.x) * scale) / this.scale
		this.y = y - ((y - this.y) * scale) / this.scale
		this.scale = scale
		this.show()
	}

	pan(x, y) {
		const edge = 40, { clientWidth, clientHeight } = this.frame
		this.x = Math.min(clientWidth - edge, Math.max(edge - this.width * this.scale, this.x + x))
		this.y = Math.min(clientHeight - edge, Math.max(edge - this.height * this.scale, this.y + y))
		this.show()
	}

	// From the window's pixels to the sheet's.
	point(event) {
		const box = this.frame.getBoundingClientRect()
		return { x: (event.clientX - box.left - this.x) / this.scale, y: (event.clientY - box.top - this.y) / this.scale }
	}

	show() {
		this.sheet.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`
		this.onchange?.()
	}
}
