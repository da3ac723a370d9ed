// A picture's settings in words, for the viewer and the comparison.

const names = {
	model: 'Model', size: 'Size', seed: 'Seed', steps: 'Steps', guidance_scale: 'Guidance', sampler: 'Sampler', schedule: 'Schedule',
	strength: 'Strength', hires: 'Hires fix', extend: 'Extended by', mask: 'Inpainted', loras: 'LoRAs', clip_skip: 'Clip skip', profile: 'Works as',
	prompt_syntax: 'Prompt syntax', tiling: 'Tiling', guidance_rescale: 'Guidance rescale', eta: 'Eta', subseed: 'Variation seed',
	subseed_strength: 'Variation strength', vae: 'VAE', rng: 'Random numbers', emphasis: 'Emphasis', timestep_spacing: 'Timesteps', cache: 'Cache',
	token_merging: 'Token merging',
}

// What the server takes where nothing is said; whose random numbers depends on whose rules are followed.
export const usual = ({ profile }) => ({ clip_skip: 1, composite: true, rng: ['a1111', 'sd.cpp'].includes(profile) ? 'torch-cuda' : 'torch-cpu' })

function inWords(name, value) {
	if (name === 'hires') return `×${value.scale}, strength ${value.strength}${value.upscaler ? `, as ${value.upscaler}` : ''}`
	if (name === 'extend') return Object.entries(value).filter(([, pixels]) => pixels).map(([side, pixels]) => `${side} ${pixels}`).join(', ')
	if (name === 'loras') return value.map((lora) => `${lora.name} ${lora.weight ?? 1}`).join(', ')
	if (name === 'mask') return 'yes'
	return String(value)
}

// [[name, value]…] of what was not left as it usually is.
export function facts(picture) {
	const { settings, width, height } = picture, standard = usual(settings)
	const values = { ...settings, ...picture, size: `${width} × ${height}`, strength: settings.init_image && settings.strength }
	return Object.entries(names).filter(([key]) => (values[key]?.length ?? values[key]) && values[key] !== standard[key])
		.map(([key, label]) => [label, inWords(key, values[key])])
}

// [[name, first, second]…] of what is not the same.
export function differences(first, second) {
	const of = (picture) => new Map([['Prompt', picture.prompt ?? ''], ['Negative prompt', picture.negative_prompt ?? ''], ...facts(picture)])
	const a = of(first), b = of(second)
	return [...new Set([...a.keys(), ...b.keys()])].filter((name) => (a.get(name) ?? '') !== (b.get(name) ?? ''))
		.map((name) => [name, a.get(name) || '–', b.get(name) || '–'])
}
