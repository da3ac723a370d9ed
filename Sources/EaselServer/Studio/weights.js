// The weight of words, as AUTOMATIC1111's prompts have it: (word:1.1), and <lora:name:0.8>.

const boundary = /[\s.,;:!?/\\^*{}()[\]<>|~`"=%]/;

// Where the innermost (…) or <…> around a position begins and ends; null where there is none.
function enclosing(text, start, end, open, close) {
  let depth = 0, left = -1;
  for (let i = start - 1; i >= 0; i--) {
    if (text[i - 1] === '\\') continue;
    if (text[i] === close) depth++;
    if (text[i] === open && depth-- === 0) { left = i; break; }
  }
  if (left < 0) return null;
  depth = 0;
  for (let i = end; i < text.length; i++) {
    if (text[i - 1] === '\\') continue;
    if (text[i] === open) depth++;
    if (text[i] === close && depth-- === 0) return { left, right: i + 1 };
  }
  return null;
}

const shown = (number) => String(Math.round(number * 100) / 100);

// What text, start and end become when the weight of what is selected, or of the word at the cursor, changes by `change`;
// null where there is no word. {from, to, insert, start, end}: insert takes the place of from..<to.
export function reweighted(text, start, end, change) {
  const tag = enclosing(text, start, end, '<', '>');
  if (tag) {
    const match = /^<([a-z]+):([^:>]+)(?::(-?[\d.]+))?((?::[^>]*)?)>$/i.exec(text.slice(tag.left, tag.right));
    if (!match) return null;
    const weight = Number(match[3] ?? 1) + change / 2;
    const insert = `<${match[1]}:${match[2]}:${shown(weight)}${match[4]}>`;
    return { from: tag.left, to: tag.right, insert, start: tag.left + 1, end: tag.left + insert.length - 1 };
  }
  if (start === end) {
    const group = enclosing(text, start, end, '(', ')');
    if (group) { start = group.left + 1; end = group.right - 1; }
    else {
      while (start > 0 && !boundary.test(text[start - 1])) start--;
      while (end < text.length && !boundary.test(text[end])) end++;
      if (start === end) return null;
    }
  }
  while (start < end && /\s/.test(text[start])) start++;
  while (end > start && /\s/.test(text[end - 1])) end--;
  if (text[start] === '(' && text[end - 1] === ')') { start++; end--; }
  let words = text.slice(start, end), weight = 1, from = start, to = end;
  const inside = /^([\s\S]*):\s*(-?[\d.]+)\s*$/.exec(words);
  if (text[start - 1] === '(' && text[start - 2] !== '\\') {
    const own = enclosing(text, start, end, '(', ')');
    if (own && own.left === start - 1) {
      // The selection may end before the weight: (words|:1.1)
      const whole = /^([\s\S]*?)(?::\s*(-?[\d.]+)\s*)?$/.exec(text.slice(own.left + 1, own.right - 1));
      if (whole[1] === (inside ? inside[1] : words)) {
        words = whole[1]; weight = Number(whole[2] ?? 1.1); from = own.left; to = own.right;
      }
    }
  }
  if (!words) return null;
  weight = Math.round((weight + change) * 100) / 100;
  if (weight < 0) weight = 0;
  const plain = weight === 1;
  const insert = plain ? words : `(${words}:${shown(weight)})`;
  const first = from + (plain ? 0 : 1);
  return { from, to, insert, start: first, end: first + words.length };
}

// The LoRAs that a prompt names: [{name, weight, from, to}].
export function lorasIn(text) {
  return [...text.matchAll(/<(?:lora|lyco):([^:<>]+)(?::([^<>]*))?>/gi)].map((match) => ({
    name: match[1], weight: Number((match[2] ?? '1').split(':')[0]) || 0, from: match.index, to: match.index + match[0].length,
    rest: (match[2] ?? '').split(':').slice(1),
  }));
}
