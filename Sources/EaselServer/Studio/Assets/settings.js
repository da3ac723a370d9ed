// The form's settings: read for a job, filled from a picture, kept over a reload.
import { usual } from './details.js'
import { $, button, changed, el, field, on } from './dom.js'
import { keep, kept } from './kept.js'
import { fillSeed, readSeed, seedState } from './seed.js'
import { fillStart, readStart, startState } from './start.js'

const form = $('compose')
// Settings that have no place in the form: kept as they come with a picture, and shown.
const others = ['vae', 'emphasis', 'rng', 'rho', 'timestep_spacing', 'loras', 'composite', 'cache', 'token_merging']
let carried = {}

const elements = () => [...form.elements].filter((element) => element.name)
const plain = () => elements().filter((element) => !element.closest('#start') && !['seed', 'hires_on'].includes(element.name))
const first = ({ options, defaultValue }) => (options ? [...options].find((option) => option.defaultSelected) ?? options[0] : { value: defaultValue })?.value ?? ''

export function read() {
	const settings = { ...carried }, seed = readSeed()
	for (const element of plain()) {
		const [group, name] = element.name.split('.'), isText = element.tagName === 'TEXTAREA'
		if (!isText && element.value.trim() === '') continue
		const value = element.type === 'number' ? Number(element.value) : isText ? element.value : element.value.trim()
		if (!name) settings[group] = value
		else if ($('hires-on').checked) (settings[group] ??= {})[name] = value
	}
	if (seed !== null) settings.seed = seed
	return Object.assign(settings, readStart())
}

function set(element, value) {
	if (element.options && value && ![...element.options].some((option) => option.value === value)) {
		if (element.name === 'model') return
		element.add(new Option(value, value))
	}
	element.value = value
}

// What a picture, or a file, says; fields that it does not name become what they are at first.
export function fill(settings) {
	for (const element of plain()) {
		const [group, name] = element.name.split('.'), value = name ? settings[group]?.[name] : settings[group]
		if (element.name !== 'model' || value) set(element, String(value ?? first(element)))
	}
	$('hires-on').checked = Boolean(settings.hires)
	carried = {}
	const standard = usual(settings)
	for (const name of others) {
		const value = settings[name] ?? standard[name]
		if (value !== undefined && value !== standard[name] && value.length !== 0) carried[name] = value
	}
	fillSeed(settings.seed)
	fillStart(settings)
	showAll()
}

function reset() {
	const words = ['prompt', 'negative_prompt'].map((name) => [field(name), field(name).value])
	form.reset()
	for (const [element, value] of words) element.value = value
	carried = {}
	fillSeed(null)
	showAll()
}

// Everything that shows a setting a second time follows.
export function showAll() {
	for (const element of [$('prompt'), $('negative_prompt'), form]) changed(element)
}

function showNotes() {
	$('hires-note').textContent = $('hires-on').checked ? `×${$('hires-scale').value}` : ''
	const count = plain().filter((element) => element.closest('#advanced') && element.value !== first(element)).length + Object.keys(carried).length
	$('advanced-note').textContent = count ? `${count} changed` : ''
	$('carried').hidden = Object.keys(carried).length === 0
	$('carried').replaceChildren(...Object.entries(carried).map(([name, value]) => el('li', { class: 'chip' },
		`${name}: ${Array.isArray(value) ? value.map((lora) => `${lora.name} ${lora.weight ?? 1}`).join(', ') : value}`,
		button('close', `Remove ${name}`, () => { delete carried[name]; showAll() }))))
}

export function paintSlider(slider) {
	slider.style.setProperty('--value', `${((slider.value - slider.min) / (slider.max - slider.min)) * 100}%`)
}

// Sliders are second handles of number fields.
function setUpSliders() {
	for (const slider of form.querySelectorAll('[data-for]')) {
		const number = $(slider.dataset.for)
		slider.ariaLabel = number.labels[0].textContent
		const follow = () => { slider.value = number.value; paintSlider(slider) }
		on(slider, 'input', () => { number.value = slider.value; paintSlider(slider) })
		on(form, 'input', (event) => { if (event.target !== slider) follow() })
		follow()
	}
	for (const stepper of form.querySelectorAll('[data-step]')) {
		const number = stepper.parentElement.querySelector('input')
		on(stepper, 'click', () => {
			if (stepper.dataset.step === '1') number.stepUp(); else number.stepDown()
			changed(number)
		})
	}
}

let saving = 0
export function save() {
	clearTimeout(saving)
	saving = setTimeout(() => {
		const values = {}
		for (const element of elements()) {
			if (element.type === 'checkbox') values[element.name] = element.checked
			else if (element.type !== 'radio' || element.checked) values[element.name] = element.value
		}
		keep('settings', { values, carried, start: startState(), seed: seedState() })
	}, 200)
}

export function restore() {
	const before = kept('settings')
	carried = before?.carried ?? {}
	for (const [name, value] of Object.entries(before?.values ?? {})) {
		const element = field(name)
		if (element?.type === 'checkbox') element.checked = value
		else if (element instanceof RadioNodeList) element.value = value
		else if (element) set(element, value)
	}
	setUpSliders()
	on(form, 'input', showNotes)
	on(form, 'input change', save)
	on($('settings-reset'), 'click', reset)
	return before
}
