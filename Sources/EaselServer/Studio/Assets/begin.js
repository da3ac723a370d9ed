// The first paint comes first; then all that makes the page work.
requestAnimationFrame(() => setTimeout(() => import('./main.js')))
