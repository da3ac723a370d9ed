"""Pictures that start from pictures, and the queue."""

# How many pixels of the second differ by more than `least` from the first, inside and outside the box [x, y, w, h].
DIFFERENCE = """async ([a, b, box]) => {
    const data = async (url) => {
        const image = new Image();
        image.src = url;
        await image.decode();
        const canvas = new OffscreenCanvas(image.width, image.height), context = canvas.getContext('2d');
        context.drawImage(image, 0, 0);
        return context.getImageData(0, 0, image.width, image.height);
    };
    const [first, second] = [await data(a), await data(b)], [x, y, w, h] = box;
    let inside = 0, outside = 0;
    for (let i = 0; i < first.data.length; i += 4) {
        const column = (i / 4) % first.width, row = Math.floor(i / 4 / first.width);
        if ([0, 1, 2].every((c) => first.data[i + c] === second.data[i + c])) continue;
        if (column >= x && column < x + w && row >= y && row < y + h) inside += 1; else outside += 1;
    }
    return { inside, outside };
}"""


def dropped_pictures(studio):
    page = studio.page
    picture = studio.generate("a cat on a pink background", 5)["pictures"][0]
    page.fill("#prompt", "other words")
    assert studio.drop("settings", picture["file"]), "the cover is shown while a file is over the page"
    studio.notice("The settings are those of picture.png")
    assert studio.value("prompt") == "a cat on a pink background", studio.value("prompt")
    assert page.is_visible("#start-empty")
    page.click("#seed-lock")

    studio.drop("start", None, "notes.txt", "text/plain")
    studio.notice("That is not a picture")
    studio.drop("start", None, "broken.png")
    page.locator(".toast.bad").last.wait_for()

    studio.drop("start", picture["file"])
    page.wait_for_selector("#start-chosen:not([hidden])")
    studio.until("document.querySelector('#start-image').naturalWidth > 0")
    studio.look("start")
    job = studio.generate("a dog on a pink background", 6, strength=0.5)
    assert job["settings"]["init_image"] and job["settings"]["strength"] == 0.5
    assert (job["pictures"][0]["width"], job["pictures"][0]["height"]) == tuple(int(studio.value(side)) for side in ("width", "height"))

    # Pasted instead of dropped.
    page.click("#start-clear")
    assert page.is_visible("#start-empty")
    page.evaluate("""async (url) => {
        const data = new DataTransfer();
        data.items.add(new File([await (await fetch(url)).blob()], 'pasted.png', { type: 'image/png' }));
        document.body.dispatchEvent(new ClipboardEvent('paste', { bubbles: true, clipboardData: data }));
    }""", picture["file"])
    page.wait_for_selector("#start-chosen:not([hidden])")
    page.wait_for_timeout(400)
    studio.open()
    page.wait_for_selector("#start-chosen:not([hidden])")
    page.click("#start-clear")


def starting_again(studio):
    """What a picture's settings do not say of its start is as the server took it, not as the form has it."""
    page = studio.page
    base = studio.generate("a red apple on a yellow background", 4, width=128, height=64)["pictures"][0]
    asked = {"prompt": "a red apple on a blue background", "steps": 6, "seed": 12, "init_image": base["id"], "width": 128, "height": 128}
    job = studio.api("/jobs", "POST", asked)["id"]
    studio.until("async (id) => (await (await fetch(`/api/v1/jobs/${id}`)).json()).state === 'done'", job, 60)
    picture = studio.api(f"/jobs/{job}")["pictures"][0]["id"]
    studio.drop("start", base["file"])
    page.wait_for_selector("#start-chosen:not([hidden])")
    page.select_option("[name='resize']", "pad")
    page.fill("#strength", "0.3")
    studio.tile(picture).wait_for()
    studio.open_picture(picture)
    page.click("#viewer-actions [data-action='use']")
    studio.until("document.querySelector(\"[name='resize']\").value === 'stretch'")
    assert studio.value("strength") == "0.75", studio.value("strength")
    again = studio.finished(lambda: page.click("#generate"))
    assert again["pictures"][0]["id"] == picture, "its settings make the picture again"
    page.click("#seed-lock")
    page.click("#start-clear")
    for name in ("width", "height"):
        page.fill(f"#{name}", "")


def inpainting(studio):
    page = studio.page
    base = studio.generate("a red apple on a yellow background", 12, width=128, height=128)["pictures"][0]
    studio.open_picture(base["id"])
    page.keyboard.press("m")
    page.wait_for_selector("#editor[open]")
    view = page.locator("#editor-view").bounding_box()
    middle = (view["x"] + view["width"] / 2, view["y"] + view["height"] / 2)
    painted = lambda: page.evaluate("""(() => {
        const canvas = document.querySelector('#editor-mask'), data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        let count = 0;
        for (let i = 3; i < data.length; i += 4) if (data[i] > 127) count += 1;
        return count / (canvas.width * canvas.height);
    })()""")

    def stroke(*points):
        page.mouse.move(middle[0] + points[0][0], middle[1] + points[0][1])
        page.mouse.down()
        for x, y in points[1:]:
            page.mouse.move(middle[0] + x, middle[1] + y, steps=6)
        page.mouse.up()

    assert painted() == 0
    stroke((-60, 0), (60, 0))
    once = painted()
    assert 0 < once < 0.5
    stroke((0, -60), (0, 60))
    assert painted() > once
    page.keyboard.press("Control+z")
    assert painted() == once
    page.keyboard.press("Control+Shift+Z")
    assert painted() > once
    page.click("[data-edit='undo']")
    page.keyboard.press("e")
    stroke((-60, 0), (0, 0))
    assert painted() < once
    page.keyboard.press("Control+z")
    page.keyboard.press("b")
    page.click("[data-edit='invert']")
    assert abs(painted() - (1 - once)) < 0.02
    page.click("[data-edit='clear']")
    assert painted() == 0
    for _ in range(2):
        page.click("[data-edit='undo']")
    assert painted() == once
    zoom = lambda: page.text_content("#editor-zoom")
    fitting = zoom()
    page.mouse.move(*middle)
    page.mouse.wheel(0, -300)
    studio.until("(was) => document.querySelector('#editor-zoom').textContent !== was", fitting)
    page.keyboard.down("Space")
    at = page.locator("#editor-sheet").bounding_box()
    page.mouse.down()
    page.mouse.move(middle[0] + 40, middle[1] + 30, steps=3)
    page.mouse.up()
    page.keyboard.up("Space")
    moved = page.locator("#editor-sheet").bounding_box()
    assert (round(moved["x"] - at["x"]), round(moved["y"] - at["y"])) == (40, 30), "Space and a drag move the sheet"
    assert painted() == once
    page.click("[data-edit='fit']")
    assert zoom() == fitting
    # Without a pointer: arrows move the brush, Shift paints.
    page.focus("#editor-view")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowDown")
    assert painted() > once
    for _ in range(3):
        page.keyboard.press("Control+z")
    studio.look("mask")
    page.click("#editor-done")
    page.wait_for_selector("#start-mask:not([hidden])")
    studio.until("document.querySelector('#start-mask').naturalWidth === 128")
    studio.look("masked")

    page.fill("[name='mask_blur']", "0")
    job = studio.generate("a blue fish on a yellow background", 12, strength=0.9)
    assert job["settings"]["mask"], "the job has the mask"
    scale = view["height"] / 128
    box = page.evaluate("""async (url) => {
        const image = new Image();
        image.src = url;
        await image.decode();
        const canvas = new OffscreenCanvas(128, 128), context = canvas.getContext('2d');
        context.drawImage(image, 0, 0);
        const { data } = context.getImageData(0, 0, 128, 128);
        let [left, top, right, bottom] = [128, 128, 0, 0];
        for (let i = 0; i < data.length; i += 4) {
            if (data[i] === 0) continue;
            const x = (i / 4) % 128, y = Math.floor(i / 512);
            [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
        }
        return [left, top, right - left + 1, bottom - top + 1];
    }""", page.get_attribute("#start-mask", "src"))
    assert box[2] > box[3] > 0, f"the stroke lies across: {box} at scale {scale}"
    changed = page.evaluate(DIFFERENCE, [base["file"], job["pictures"][0]["file"], box])
    assert changed["inside"] > 0, changed
    assert changed["outside"] == 0, f"outside the mask nothing changes: {changed}"
    page.click("#start-clear")


def outpainting(studio):
    page = studio.page
    base = studio.generate("a green tree on a blue background", 8, width=128, height=128)["pictures"][0]
    studio.open_picture(base["id"])
    page.keyboard.press("o")
    page.wait_for_selector("#extend:not([hidden])")
    page.fill("[name='extend.left']", "64")
    page.fill("[name='extend.bottom']", "32")
    assert (studio.value("width"), studio.value("height")) == ("192", "160")
    page.locator("#extend-figure").scroll_into_view_if_needed()
    edge = page.locator("[data-edge='right']").bounding_box()
    page.mouse.move(edge["x"] + 3, edge["y"] + 15)
    page.mouse.down()
    page.mouse.move(edge["x"] + 23, edge["y"] + 15, steps=4)
    page.mouse.up()
    right = int(studio.value("extend.right"))
    assert right > 0 and right % 8 == 0, "an edge is dragged"
    page.fill("[name='extend.right']", "0")
    studio.look("extend")
    job = studio.generate("a green tree on a blue background", 8)
    picture = job["pictures"][0]
    assert (picture["width"], picture["height"]) == (192, 160), (picture["width"], picture["height"])
    assert job["settings"]["extend"]["left"] == 64
    page.click("#start-clear")
    page.fill("#width", "")
    page.fill("#height", "")


def queue(studio):
    page = studio.page
    page.click("#queue-toggle")
    # One that takes long holds the others.
    page.fill("#prompt", "the long one")
    page.fill("#steps", "150")
    page.fill("#count", "40")
    page.click("#generate")
    page.wait_for_selector(".job[data-state='running']")
    page.fill("#count", "1")
    page.fill("#steps", "2")
    for name in ("first", "second", "third"):
        page.fill("#prompt", f"the {name} of three")
        with page.expect_response(lambda answer: answer.url.endswith("/api/v1/jobs") and answer.request.method == "POST"):
            page.click("#generate")
    waiting = ".job[data-state='queued']"
    order = lambda: [text.split("\n")[0].split()[1] for text in page.locator(waiting).all_inner_texts()]

    def settled(wanted):
        studio.until(
            """([selector, wanted]) => [...document.querySelectorAll(selector)].map(
                (job) => job.firstChild.textContent.split(' ')[1]).join() === wanted""",
            [waiting, ",".join(wanted)])
        served = [job["settings"]["prompt"].split()[1] for job in studio.jobs("queued")]
        assert served == wanted, f"the server has {served}"

    settled(["first", "second", "third"])
    studio.look("queue")
    page.locator(waiting).nth(2).locator("[data-tool='up']").click()
    settled(["first", "third", "second"])
    page.locator(waiting).nth(0).locator("[data-tool='down']").click()
    settled(["third", "first", "second"])
    page.locator(waiting).nth(2).drag_to(page.locator(waiting).nth(0))
    settled(["second", "third", "first"])
    page.locator(waiting).nth(1).locator("[data-tool='close']").click()
    settled(["second", "first"])
    assert page.locator("#queue-toggle .badge").inner_text() == "3"
    page.keyboard.press("Control+.")
    studio.until(
        "async () => (await (await fetch('/api/v1/jobs?state=queued,running')).json()).jobs.length === 0", None, 60)
    cancelled = page.locator(".job[data-state='cancelled']", has_text="the third")
    cancelled.locator("[data-tool='restore']").click()
    studio.until(
        """async () => (await (await fetch('/api/v1/jobs?state=done')).json()).jobs.some((job) => job.settings.prompt === 'the third of three')""", None, 60)
    count = page.locator(".job[data-state='cancelled']").count()
    page.locator(".job[data-state='cancelled']").first.locator("[data-tool='close']").click()
    studio.until("(count) => document.querySelectorAll(\".job[data-state='cancelled']\").length < count", count)
    page.click("#queue-close")


def long_queue(studio):
    """As many jobs as a client may have waiting do not push out the one that is painted."""
    page = studio.page
    page.click("#queue-toggle")
    painted = studio.api("/jobs", "POST", {"prompt": "the painted one", "steps": 150, "count": 60})["id"]
    studio.until("async (id) => (await (await fetch(`/api/v1/jobs/${id}`)).json()).state === 'running'", painted)
    for index in range(200):
        studio.api("/jobs", "POST", {"prompt": f"waiting {index}", "steps": 1})
    studio.until("document.querySelectorAll(\".job[data-state='queued']\").length === 200", None, 60)
    page.wait_for_timeout(500)
    assert page.locator(f".job[data-id='{painted}'][data-state='running']").count() == 1, "what is painted is listed"
    page.evaluate("""async () => {
        const { jobs } = await (await fetch('/api/v1/jobs?state=queued,running&limit=200')).json();
        for (const { id } of jobs) await fetch(`/api/v1/jobs/${id}/cancel`, { method: 'POST' });
    }""")
    studio.api(f"/jobs/{painted}/cancel", "POST")
    studio.until("async () => (await (await fetch('/api/v1/jobs?state=queued,running')).json()).jobs.length === 0", None, 60)
    page.click("#queue-close")


def lost_and_found(studio, server):
    """The server goes away and comes again: the page says so, and catches up."""
    page = studio.page
    assert server.stop() == 0, "SIGTERM ends the server with 0"
    studio.until("document.querySelector('#connection').textContent.includes('does not answer')")
    page.fill("#prompt", "sent into the void")
    page.fill("#steps", "2")
    page.click("#generate")
    page.locator("#form-error", has_text="does not answer").wait_for()
    studio.look("offline")
    server.start()
    studio.until("document.querySelector('#connection').textContent === ''", None, 30)
    studio.finished(lambda: page.click("#generate"))
    studio.until("document.querySelector('.tile-open').getAttribute('aria-label') === 'sent into the void'")
