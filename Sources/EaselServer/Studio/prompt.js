// The two prompts: tokens counted while one types, weights by keys, LoRAs as chips.
import { api } from './api.js';
import { $, button, changed, el, on } from './dom.js';
import { lorasIn, reweighted } from './weights.js';

// Replaces a range so that the browser's own undo knows of it.
export function replaceText(area, from, to, insert, start = from + insert.length, end = start) {
  area.focus();
  area.setSelectionRange(from, to);
  const done = insert === '' ? document.execCommand('delete') : document.execCommand('insertText', false, insert);
  if (!done) {
    area.setRangeText(insert, from, to, 'end');
    changed(area);
  }
  area.setSelectionRange(start, end);
}

export function changeWeight(area, direction) {
  const change = reweighted(area.value, area.selectionStart, area.selectionEnd, direction * 0.1);
  if (change) replaceText(area, change.from, change.to, change.insert, change.start, change.end);
}

function countTokens(area, output) {
  let timer = 0, abort = null;
  const count = async () => {
    abort?.abort();
    if (!area.value.trim()) { output.textContent = ''; output.classList.remove('over'); return; }
    abort = new AbortController();
    try {
      const { count, limit, chunks, unknown = [] } = await api.tokens(area.value, $('model').value, abort.signal);
      const room = limit * Math.max(1, chunks);
      output.textContent = `${count} / ${room}${chunks > 1 ? ` · ${chunks} chunks` : ''}`;
      output.classList.toggle('over', chunks > 1);
      output.title = unknown.length ? `Unknown to the model: ${unknown.join(', ')}` : `${limit} tokens to a chunk`;
    } catch { /* the count is a help, not a need */ }
  };
  on(area, 'input', () => { clearTimeout(timer); timer = setTimeout(count, 250); });
  on($('model'), 'change', count);
  return count;
}

function grow(area) {
  const fit = () => {
    area.style.height = 'auto';
    area.style.height = `${Math.min(area.scrollHeight + 2, innerHeight * 0.4)}px`;
  };
  on(area, 'input', fit);
  return fit;
}

function showLoras() {
  const list = $('prompt-loras'), area = $('prompt');
  const loras = lorasIn(area.value);
  list.hidden = loras.length === 0;
  if (list.contains(document.activeElement) && list.children.length === loras.length) return;
  list.replaceChildren(...loras.map((lora, index) => {
    const current = () => lorasIn(area.value)[index];
    const set = (insert) => {
      const at = current();
      if (!at) return;
      area.setRangeText(insert, at.from, at.to, 'preserve');
      changed(area);
    };
    const weight = el('input', {
      type: 'number', step: '0.05', value: lora.weight, 'aria-label': `Weight of ${lora.name}`,
      oninput: (event) => { if (event.target.value !== '') set(`<lora:${lora.name}:${[Number(event.target.value), ...lora.rest].join(':')}>`); },
    });
    return el('li', { class: 'chip' }, lora.name, weight, button('close', `Remove ${lora.name}`, () => { area.focus(); set(''); }));
  }));
}

let last = null;
export const lastPrompt = () => last ?? $('prompt');

export function setUpPrompts() {
  const again = [];
  for (const [id, output] of [['prompt', 'prompt-tokens'], ['negative_prompt', 'negative-tokens']]) {
    const area = $(id);
    again.push(countTokens(area, $(output)), grow(area));
    on(area, 'focus', () => { last = area; });
    on(area, 'keydown', (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
      if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return;
      event.preventDefault();
      changeWeight(area, event.key === 'ArrowUp' ? 1 : -1);
    });
  }
  on($('prompt'), 'input', showLoras);
  for (const control of document.querySelectorAll('[data-weight]')) {
    // The cursor stays in the text: the button does not take the focus by the mouse.
    on(control, 'pointerdown', (event) => event.preventDefault());
    on(control, 'click', () => changeWeight(lastPrompt(), Number(control.dataset.weight)));
  }
  return () => { for (const update of again) update(); showLoras(); };
}
