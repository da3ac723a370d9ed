// Starts the page: from what the server put into it, or, where that is missing, by asking.
import { setAdapters, setUpAdapters } from './adapters.js'
import { failed } from './announce.js'
import { api, parse } from './api.js'
import { setUpCompare } from './compare.js'
import { $, el, field, on } from './dom.js'
import { setUpDrop } from './drop.js'
import { setUpEditor } from './editor.js'
import { setUpExtend } from './extend.js'
import { setUpGallery, showTags } from './gallery.js'
import { setUpGenerate } from './generate.js'
import { connect, onJobs, put, refresh } from './jobs.js'
import { setUpKeyboard } from './keyboard.js'
import { add, load, setFirst } from './pictures.js'
import { setUpPrompts } from './prompt.js'
import { setUpQueue } from './queue.js'
import { setUpSeed } from './seed.js'
import { restore, showAll } from './settings.js'
import { setSizes, setUpSize } from './size.js'
import { setUpStage, show } from './stage.js'
import { setUpStart } from './start.js'
import { setUpViewer } from './viewer.js'

// A list may come as itself, or as the API's answer around it.
async function initial() {
	let given = null
	try { given = parse($('initial').textContent) } catch { /* not filled in */ }
	given ??= {}
	await Promise.all(['models', 'samplers', 'schedules', 'loras', 'embeddings', 'limits', 'status'].map(async (name) => {
		try { given[name] ??= await api.get(`/${name}`) } catch (error) { given[name] = []; failed(error) }
		given[name] = given[name][name] ?? given[name]
	}))
	return given
}

function fillChoices({ models, samplers, schedules, limits }) {
	const option = ({ name, label, title, description }) => el('option', { value: name, title: description }, title ?? label ?? name)
	$('model').append(...models.map(option))
	$('model').value = models.find((model) => model.current)?.name
	$('sampler').append(...samplers.map(option))
	$('schedule').append(...schedules.map(option))
	for (const [name, { min, max, multiple }] of Object.entries(limits)) {
		if (field(name)?.type !== 'number' || max === undefined) continue
		Object.assign(field(name), { min, max })
		if (multiple) field(name).step = multiple
	}
}

// What the markup leaves out of its buttons.
function finishButtons() {
	for (const image of document.querySelectorAll('svg')) image.ariaHidden = 'true'
	for (const control of document.querySelectorAll('button')) {
		if (control.id !== 'generate') control.type = 'button'
		control.title = [control.ariaLabel, control.dataset.key && `(${control.dataset.key})`].filter(Boolean).join(' ')
	}
}

// On a phone, one of three views at a time.
function setUpViews() {
	const controls = document.querySelectorAll('.tabs button'), page = document.body
	for (const control of controls) on(control, 'click', () => { page.dataset.view = control.dataset.view; refresh() })
	new MutationObserver(() => {
		for (const control of controls) control.ariaPressed = control.dataset.view === page.dataset.view
		show()
	}).observe(page, { attributeFilter: ['data-view'] })
}

const given = await initial()
finishButtons()
fillChoices(given)
setAdapters(given)
setSizes(given.models, given.limits.width)
$('about').textContent = `Easel ${given.status.version ?? ''}`
const before = restore()
setUpSeed(before?.seed)
for (const setUp of [setUpSize, setUpPrompts, setUpAdapters, setUpEditor, setUpExtend, setUpGallery, setUpStage, setUpViewer,
	setUpCompare, setUpQueue, setUpDrop, setUpGenerate, setUpKeyboard, setUpViews]) setUp()
setUpStart(before?.start, given.limits.resize ?? ['crop', 'stretch', 'fill'])
showAll()

onJobs('picture', ({ picture }) => add(picture))
onJobs('resync', load)
for (const job of given.jobs?.jobs ?? given.jobs ?? []) put(job)
if (given.pictures) setFirst({ pictures: given.pictures, ...(given.pictures.pictures && given.pictures) }); else load()
connect()
refresh()
showTags()
document.documentElement.dataset.ready = 'yes'
