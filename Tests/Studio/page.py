"""The studio's page in a browser: what the walk does again and again."""
import json
import os
import time

from axe_playwright_python.base import AXE_FILE_PATH

AXE = open(AXE_FILE_PATH, encoding="utf-8").read()

# Notes what was ever shown, since previews come and go faster than one looks.
WATCH = """() => {
    window.seen = { previews: 0, progress: 0, steps: new Set() };
    new MutationObserver(() => {
        if (!document.querySelector('#stage-preview').hidden) seen.previews += 1;
        const bar = document.querySelector('#progress');
        if (!bar.hidden) seen.progress = Math.max(seen.progress, Number(bar.getAttribute('aria-valuenow')));
        const step = /Step (\\d+) of/.exec(document.querySelector('#stage-text').textContent);
        if (step) seen.steps.add(step[1]);
    }).observe(document.querySelector('#stage'), { subtree: true, childList: true, attributes: true, characterData: true });
}"""

# A file as a hand would drop it: made in the page, from a picture of the server or from bytes.
DROP = """async ({ url, name, type, on }) => {
    const bytes = url ? await (await fetch(url)).blob() : new Blob(['no picture'], { type });
    const data = new DataTransfer();
    data.items.add(new File([bytes], name, { type }));
    const fire = (kind, target) => target.dispatchEvent(
        new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: data }));
    fire('dragenter', document.body);
    const target = document.querySelector(on);
    fire('dragover', target);
    const cover = !document.querySelector('#drop').hidden;
    fire('drop', target);
    return cover;
}"""


def until(page, script, argument=None, seconds=20):
    """Waits for what the page says to be true. Playwright's own wait makes code from text, which the page's policy
    forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(script, argument):
        assert time.monotonic() < end, f"after {seconds} s it is still not so: {' '.join(script.split())[:200]} {argument or ''}"
        time.sleep(0.05)


class Studio:
    def __init__(self, context, url, shots=None):
        self.page = context.new_page()
        self.url = url
        self.shots = shots
        self.errors = []
        self.violations = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._console)

    def _console(self, message):
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.errors.append(message.text)

    def open(self):
        self.page.goto(self.url)
        self.page.wait_for_selector("html[data-ready]")
        self.page.evaluate(WATCH)
        return self

    def until(self, script, argument=None, seconds=20):
        until(self.page, script, argument, seconds)

    def api(self, path, method="GET", body=None):
        return self.page.evaluate(
            """async ([path, method, body]) => {
                const answer = await fetch('/api/v1' + path, {
                    method, body: body === null ? undefined : JSON.stringify(body),
                    headers: body === null ? {} : { 'Content-Type': 'application/json' } });
                const text = await answer.text();
                return text ? JSON.parse(text) : null;
            }""", [path, method, body])

    def look(self, name):
        """In each theme a screenshot, where they are wanted, and what axe finds."""
        chosen = self.page.get_attribute("html", "data-theme")
        for theme in ("light", "dark") if chosen == "dark" else ("dark", "light"):
            self.page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
            # What fades is to have faded.
            self.page.wait_for_timeout(400)
            if self.shots:
                self.page.screenshot(path=os.path.join(self.shots, f"{name}-{theme}.png"))
            self.page.evaluate(AXE)
            found = self.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
            for violation in found["violations"]:
                targets = [node["target"] for node in violation["nodes"][:4]]
                self.violations.append(f"{name}, {theme}: {violation['id']} ({violation['help']}) at {json.dumps(targets)}")

    def jobs(self, states="queued,running,done,failed,cancelled"):
        return self.api(f"/jobs?state={states}&limit=200")["jobs"]

    def generate(self, prompt, steps=4, **fields):
        """Fills the form in, clicks, and waits until the job is over; returns it."""
        self.page.fill("#prompt", prompt)
        self.page.fill("#steps", str(steps))
        for name, value in fields.items():
            self.page.fill(f"[name='{name}']", str(value))
        return self.finished(lambda: self.page.click("#generate"))

    def finished(self, submit, state="done"):
        with self.page.expect_response(lambda answer: answer.url.endswith("/api/v1/jobs") and answer.request.method == "POST") as sent:
            submit()
        answer = sent.value
        assert answer.status in (200, 201), f"the job was refused: {answer.status} {answer.text()}"
        identifier = answer.json()["id"]
        self.until(
            """async (id) => ['done', 'failed', 'cancelled'].includes((await (await fetch(`/api/v1/jobs/${id}`)).json()).state)""",
            identifier, 120)
        job = self.api(f"/jobs/{identifier}")
        assert job["state"] == state, f"the job is {job['state']}: {job['error']}"
        return job

    def drop(self, half, url=None, name="picture.png", type="image/png"):
        on = f"[data-drop='{half}']"
        return self.page.evaluate(DROP, {"url": url, "name": name, "type": type, "on": on})

    def tile(self, identifier):
        return self.page.locator(f".tile[data-id='{identifier}']")

    def open_picture(self, identifier):
        self.tile(identifier).locator(".tile-open").click()
        self.page.wait_for_selector("#viewer[open]")

    def text(self, selector):
        return self.page.locator(selector).inner_text()

    def value(self, name):
        return self.page.locator(f"#compose [name='{name}']").input_value()

    def notice(self, part):
        self.page.locator(".toast", has_text=part).last.wait_for()
