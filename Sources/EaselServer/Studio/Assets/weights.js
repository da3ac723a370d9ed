// The weight of words, as AUTOMATIC1111's prompts have it: (word:1.1), and <lora:name:0.8>.

const boundary = /[\s.,;:!?/\\^*{}()[\]<>|~\x60"=%]/
const shown = (number) => String(Math.round(number * 100) / 100)

// Where the innermost (…) or <…> around a range begins and ends; null where there is none.
function around(text, start, end, open, close) {
	const walk = (at, step, own, other) => {
		for (let depth = 0; text[at] !== undefined; at += step) {
			if (text[at - 1] === '\\') continue
			if (text[at] === other) depth++
			else if (text[at] === own && depth-- === 0) return at
		}
		return -1
	}
	const left = walk(start - 1, -1, open, close), right = walk(end, 1, close, open)
	return left < 0 || right < 0 ? null : [left, right + 1]
}

// What to insert in from..<to, and what is selected then, for the weight of the selection, or of the word at the cursor,
// to change; null where there is no word.
export function reweighted(text, start, end, change) {
	const tag = around(text, start, end, '<', '>')
	const parts = tag && /^(<[a-z]+:[^:>]+)(?::(-?[\d.]+))?([^>]*>)$/i.exec(text.slice(...tag))
	if (parts) {
		const insert = `${parts[1]}:${shown(Number(parts[2] ?? 1) + change / 2)}${parts[3]}`
		return { from: tag[0], to: tag[1], insert, start: tag[0] + 1, end: tag[0] + insert.length - 1 }
	}
	if (start === end) {
		const group = around(text, start, end, '(', ')')
		if (group) [start, end] = [group[0] + 1, group[1] - 1]
		else {
			while (start > 0 && !boundary.test(text[start - 1])) start--
			while (end < text.length && !boundary.test(text[end])) end++
		}
	}
	while (start < end && /\s/.test(text[start])) start++
	while (end > start && /\s/.test(text[end - 1])) end--
	if (text[start] === '(' && text[end - 1] === ')') { start++; end-- }
	let group = null
	if (text[start - 1] === '(' && text[start - 2] !== '\\') {
		end -= /:\s*-?[\d.]+$/.exec(text.slice(start, end))?.[0].length ?? 0
		group = /^(?::\s*(-?[\d.]+))?\s*\)/.exec(text.slice(end))
	}
	if (start >= end) return null
	const words = text.slice(start, end), weight = shown(Math.max(0, (group ? Number(group[1] ?? 1.1) : 1) + change))
	const from = start - (group ? 1 : 0), bracket = weight === '1' ? 0 : 1
	return {
		from, to: end + (group?.[0].length ?? 0), insert: bracket ? `(${words}:${weight})` : words,
		start: from + bracket, end: from + bracket + words.length,
	}
}

// The LoRAs that a prompt names.
export function lorasIn(text) {
	return [...text.matchAll(/<(?:lora|lyco):([^:<>]+)(?::([^<>]*))?>/gi)].map((match) => {
		const [weight, ...rest] = (match[2] ?? '1').split(':')
		return { name: match[1], weight, rest, from: match.index, to: match.index + match[0].length }
	})
}
