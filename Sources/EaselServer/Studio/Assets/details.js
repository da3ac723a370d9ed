// A picture's settings in words, for the viewer and the comparison.

const names = {
	model: 'Model', size: 'Size', seed: 'Seed', steps: 'Steps', guidance_scale: 'Guidance', sampler: 'Sampler', schedule: 'Schedule',
	strength: 'Strength', hires: 'Hires fix', extend: 'Extended by', mask: 'Inpainted', loras: 'LoRAs', clip_skip: 'Clip skip', profile: 'Works as',
	prompt_syntax: 'Prompt syntax', tiling: 'Tiling', guidance_rescale: 'Guidance rescale', eta: 'Eta', subseed: 'Variation seed',
	subseed_strength: 'Variation strength', vae: 'VAE', rng: 'Random numbers', emphasis: 'Emphasis',
}
const usual = { clip_skip: 1, guidance_rescale: 0, rng: 'torch-cpu', subseed_strength: 0 }

function inWords(name, value) {
	if (name === 'hires') return `×${value.scale}, strength ${value.strength}${value.upscaler ? `, as ${value.upscaler}` : ''}`
	if (name === 'extend') return Object.entries(value).filter(([, pixels]) => pixels).map(([side, pixels]) => `${side} ${pixels}`).join(', ')
	if (name === 'loras') return value.map((lora) => `${lora.name} ${lora.weight ?? 1}`).join(', ')
	if (name === 'mask') return 'yes'
	return String(value)
}

// [[name, value]…] of what was not left as it usually is.
export function facts(picture) {
	const settings = picture.settings ?? {}
	const values = {
		...settings, size: `${picture.width} × ${picture.height}`, seed: picture.seed, steps: picture.steps ?? settings.steps, model: picture.model ?? settings.model,
		sampler: picture.sampler ?? settings.sampler, guidance_scale: picture.guidance_scale ?? settings.guidance_scale,
		strength: settings.init_image ? settings.strength : null,
	}
	return Object.entries(names).filter(([key]) => {
		const value = values[key]
		return value !== null && value !== undefined && value !== '' && value !== usual[key] && !(Array.isArray(value) && !value.length)
	}).map(([key, label]) => [label, inWords(key, values[key])]).filter(([, value]) => value !== '')
}

// [[name, first, second]…] of what is not the same.
export function differences(first, second) {
	const of = (picture) => new Map([['Prompt', picture.prompt ?? ''], ['Negative prompt', picture.negative_prompt ?? ''], ...facts(picture)])
	const a = of(first), b = of(second)
	return [...new Set([...a.keys(), ...b.keys()])].filter((name) => (a.get(name) ?? '') !== (b.get(name) ?? ''))
		.map((name) => [name, a.get(name) || '–', b.get(name) || '–'])
}
