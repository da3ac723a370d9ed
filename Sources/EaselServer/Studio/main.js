// Starts the page: from what the server put into it, or, where that is missing, by asking.
import { api, parse } from './api.js';
import { setAdapters, setUpAdapters } from './adapters.js';
import { failed } from './announce.js';
import { setUpCompare } from './compare.js';
import { $, changed, el, field, on } from './dom.js';
import { setUpDrop } from './drop.js';
import { setUpEditor } from './editor.js';
import { setUpExtend } from './extend.js';
import { setUpGallery, showTags } from './gallery.js';
import { generate, generateLabel } from './generate.js';
import { connect, onJobs, put, refresh } from './jobs.js';
import { setUpKeyboard } from './keyboard.js';
import { add, load, setFirst } from './pictures.js';
import { setUpPrompts } from './prompt.js';
import { setUpQueue } from './queue.js';
import { setUpSeed } from './seed.js';
import { restore } from './settings.js';
import { setSizes, setUpSize } from './size.js';
import { setUpStage, show as showStage } from './stage.js';
import { setUpStart } from './start.js';
import { setUpViewer } from './viewer.js';

async function initial() {
  let given = null;
  try { given = parse($('initial').textContent); } catch { /* not filled in */ }
  given ??= {};
  const lists = ['models', 'samplers', 'schedules', 'loras', 'embeddings'];
  const missing = [...lists, 'limits', 'status'].filter((name) => !given[name]);
  await Promise.all(missing.map(async (name) => {
    try { given[name] = await api.get(`/${name}`); } catch (error) { given[name] = {}; failed(error); }
  }));
  // A list may come as itself or as the API's answer around it.
  for (const name of lists) given[name] = Array.isArray(given[name]) ? given[name] : given[name][name] ?? [];
  if (Array.isArray(given.pictures)) given.pictures = { pictures: given.pictures, next: given.next ?? null };
  given.jobs = given.jobs?.jobs ?? given.jobs;
  return given;
}

function fillChoices({ models, samplers, schedules, limits }) {
  $('model').replaceChildren(...models.map((model) => new Option(model.title ?? model.name, model.name, model.current, model.current)));
  $('sampler').append(...samplers.map((one) => el('option', { value: one.name, title: one.description }, one.label ?? one.name)));
  $('schedule').append(...schedules.map((one) => el('option', { value: one.name, title: one.description }, one.label ?? one.name)));
  for (const name of ['width', 'height', 'steps', 'count', 'batch_size', 'guidance_scale', 'clip_skip']) {
    const limit = limits[name], control = field(name);
    if (!limit) continue;
    if (limit.min !== undefined) control.min = limit.min;
    if (limit.max !== undefined) control.max = limit.max;
    if (limit.multiple) control.step = limit.multiple;
  }
}

// What the page's markup leaves out of each button, for its size.
function finishButtons() {
  for (const image of document.querySelectorAll('svg')) image.ariaHidden = 'true';
  for (const control of document.querySelectorAll('button')) {
    if (control.id !== 'generate') control.type = 'button';
    const name = control.ariaLabel, { key } = control.dataset;
    if (name) control.title = key ? `${name} (${key})` : name;
  }
}

// On a phone, one of three views at a time.
function setUpViews() {
  const controls = document.querySelectorAll('.tabs button');
  const showView = () => {
    for (const control of controls) control.setAttribute('aria-pressed', control.dataset.view === document.body.dataset.view);
    showStage();
  };
  for (const control of controls) {
    on(control, 'click', () => { document.body.dataset.view = control.dataset.view; refresh(); });
  }
  new MutationObserver(showView).observe(document.body, { attributes: true, attributeFilter: ['data-view'] });
}

async function main() {
  finishButtons();
  const given = await initial();
  fillChoices(given);
  setAdapters(given);
  setSizes(given.models, given.limits.width);
  if (given.status?.version) $('about').textContent = `Easel ${given.status.version}`;
  const kept = restore();
  setUpSeed(kept?.seed);
  setUpSize();
  const updatePrompts = setUpPrompts();
  setUpAdapters();
  setUpEditor();
  setUpExtend();
  setUpGallery();
  setUpStage();
  setUpViewer();
  setUpCompare();
  setUpQueue();
  setUpDrop();
  setUpKeyboard();
  setUpViews();
  setUpStart(kept?.start, given.limits.resize ?? given.limits.resizes ?? ['crop', 'stretch', 'fill']);
  updatePrompts();
  changed($('compose'));
  on($('compose'), 'submit', (event) => { event.preventDefault(); generate(); });

  onJobs('change', generateLabel);
  onJobs('picture', ({ picture }) => add(picture));
  onJobs('resync', load);
  for (const job of given.jobs ?? []) put(job);
  if (given.pictures) setFirst(given.pictures); else load();
  connect();
  refresh();
  showTags();
  document.documentElement.dataset.ready = 'yes';
}

main();
