// Says that the token was not the right one.
if (new URLSearchParams(location.search).has('wrong')) {
	const message = document.getElementById('login-wrong')
	message.hidden = false
	document.getElementById('token').setAttribute('aria-invalid', 'true')
}
