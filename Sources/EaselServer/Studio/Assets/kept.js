// What is kept over a reload, in this browser; storage may be off or full, and then it lives as long as the page.

export function keep(name, value) {
	try { localStorage.setItem(`easel.${name}`, JSON.stringify(value)) } catch { /* not kept */ }
}

export function kept(name) {
	try { return JSON.parse(localStorage.getItem(`easel.${name}`)) } catch { return null }
}
