// The theme that was chosen, or the system's; the style has the latter by itself, and the server writes the former into the
// studio's page. After the first paint: what opens over the page, and its modules.
{
	let chosen = document.cookie.match(/(?:^|; )easel-theme=(light|dark)(?:;|$)/)?.[1]
	const light = matchMedia('(prefers-color-scheme: light)'), root = document.documentElement
	const apply = () => { root.dataset.theme = chosen ?? (light.matches ? 'light' : 'dark') }
	apply()
	light.addEventListener('change', apply)
	addEventListener('easel-theme', () => {
		chosen = root.dataset.theme === 'light' ? 'dark' : 'light'
		document.cookie = `easel-theme=${chosen}; path=/; max-age=31536000; samesite=strict`
		apply()
	})
	const { modules } = document.currentScript.dataset
	const begin = () => {
		document.body.append(document.getElementById('later').content)
		import(modules)
	}
	if (modules) {
		addEventListener('DOMContentLoaded', () => {
			if (!PerformanceObserver.supportedEntryTypes.includes('paint')) {
				return requestAnimationFrame(() => requestAnimationFrame(begin))
			}
			new PerformanceObserver((_, observer) => {
				observer.disconnect()
				begin()
			}).observe({ type: 'paint', buffered: true })
		})
	}
}
