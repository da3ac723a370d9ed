// Before the first paint: the theme that was chosen, or the system's. After it: what opens over the page, and its modules.
{
	let chosen = null
	try { chosen = localStorage.getItem('easel.theme') } catch { /* storage is off */ }
	const light = matchMedia('(prefers-color-scheme: light)'), root = document.documentElement
	const apply = () => { root.dataset.theme = chosen ?? (light.matches ? 'light' : 'dark') }
	apply()
	light.addEventListener('change', apply)
	addEventListener('easel-theme', () => {
		chosen = root.dataset.theme === 'light' ? 'dark' : 'light'
		try { localStorage.setItem('easel.theme', chosen) } catch { /* storage is off */ }
		apply()
	})
	const { modules } = document.currentScript.dataset
	if (modules) {
		addEventListener('DOMContentLoaded', () => requestAnimationFrame(() => requestAnimationFrame(() => {
			document.body.append(document.getElementById('later').content)
			import(modules)
		})))
	}
}
