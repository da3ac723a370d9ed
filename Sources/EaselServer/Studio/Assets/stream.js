// The server's events, by one stream for all tabs, since a browser has six connections: that of the tab that holds the
// lock. Without locks, as without HTTPS from afar, a tab that nobody sees has none.
import { on } from './dom.js'

const name = 'easel.events', { locks } = navigator
let source = null, last = '', wait = 1000, timer = 0

// receive(type, text) is told events, and of the connection: 'open', 'begun' (something may have been missed), 'lost'.
export function follow(path, types, receive) {
	const channel = locks && new BroadcastChannel(name)
	const tell = (type, text) => { receive(type, text); channel?.postMessage({ type, text, last }) }

	function open(type) {
		source?.close()
		source = new EventSource(last ? `${path}?last_event_id=${last}` : path)
		for (const type of types) on(source, type, (event) => { last = event.lastEventId || last; tell(type, event.data) })
		on(source, 'open', () => {
			wait = 1000
			clearTimeout(timer)
			tell(type)
			type = 'open'
		})
		on(source, 'error', () => {
			clearTimeout(timer)
			timer = setTimeout(tell, 1200, 'lost')
			// It connects again by itself, unless the answer was an error.
			if (source?.readyState === 2) { setTimeout(() => source && open(type), wait); wait = Math.min(wait * 2, 15000) }
		})
	}

	if (channel) {
		channel.onmessage = ({ data }) => { last = data.last || last; receive(data.type, data.text) }
		// Held until this tab is closed; the next one goes on where it was.
		const hold = (type) => { open(type); return new Promise(() => {}) }
		locks.request(name, { ifAvailable: true }, (lock) => {
			if (lock) return hold('open')
			locks.request(name, () => hold(last ? 'open' : 'begun'))
		})
		return
	}
	on(document, 'visibilitychange', () => {
		if (!document.hidden) return open('begun')
		clearTimeout(timer)
		source?.close()
		source = null
	})
	open('open')
}
