// The seed: drawn anew for each run, unless it is locked, thrown or typed.
import { $, on } from './dom.js'

let locked = false, wanted = false

function show() {
	$('seed-lock').ariaPressed = locked
	$('seed-lock').querySelector('use').setAttribute('href', locked ? '#i-lock' : '#i-unlock')
	$('seed').classList.toggle('drawn', !locked && !wanted)
}

// The seed for the next run; null where one is to be drawn.
export function readSeed() {
	const value = $('seed').value.trim()
	return value && (locked || wanted) ? value : null
}

export function fillSeed(seed) {
	locked = seed !== null && seed !== undefined
	wanted = false
	$('seed').value = locked ? seed : ''
	show()
}

// The seed that a run got.
export function seedTaken(seed) {
	if (locked) return
	$('seed').value = seed ?? ''
	wanted = false
	show()
}

export const seedState = () => ({ locked, wanted })

export function setUpSeed(before) {
	locked = before?.locked ?? false
	wanted = before?.wanted ?? false
	const tell = () => { show(); $('seed').dispatchEvent(new Event('change', { bubbles: true })) }
	on($('seed'), 'input', () => { wanted = $('seed').value.trim() !== ''; locked &&= wanted; show() })
	on($('seed-dice'), 'click', () => {
		$('seed').value = crypto.getRandomValues(new Uint32Array(1))[0]
		wanted = true
		tell()
	})
	on($('seed-lock'), 'click', () => {
		locked = !locked
		if (locked && !$('seed').value.trim()) $('seed-dice').click()
		wanted = false
		tell()
	})
	show()
}
