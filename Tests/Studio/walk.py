"""What a person does in the studio, a function a thing; each leaves the page as one that the next can use."""


def words_and_tokens(studio):
    page = studio.page
    page.fill("#prompt", "a red apple on a yellow background")
    studio.until("/^\\d+ \\/ 75$/.test(document.querySelector('#prompt-tokens').textContent)")
    page.evaluate("document.querySelector('#prompt').setSelectionRange(3, 3)")
    for keys, wanted in (
        ("Control+ArrowUp", "a (red:1.1) apple on a yellow background"),
        ("Control+ArrowUp", "a (red:1.2) apple on a yellow background"),
        ("Control+ArrowDown", "a (red:1.1) apple on a yellow background"),
        ("Control+ArrowDown", "a red apple on a yellow background"),
    ):
        page.keyboard.press(keys)
        assert page.input_value("#prompt") == wanted, page.input_value("#prompt")
    page.evaluate("document.querySelector('#prompt').setSelectionRange(2, 11)")
    page.keyboard.press("Control+ArrowUp")
    assert page.input_value("#prompt") == "a (red apple:1.1) on a yellow background"
    page.keyboard.press("Control+z")
    assert page.input_value("#prompt") == "a red apple on a yellow background", "Ctrl+Z takes the weight back"
    page.fill("#prompt", "an apple <lora:ink:0.8>")
    page.evaluate("document.querySelector('#prompt').setSelectionRange(14, 14)")
    page.keyboard.press("Control+ArrowUp")
    assert page.input_value("#prompt") == "an apple <lora:ink:0.85>"
    page.fill("#prompt-loras input", "0.5")
    assert page.input_value("#prompt") == "an apple <lora:ink:0.5>"
    page.click("#prompt-loras button")
    assert page.input_value("#prompt").strip() == "an apple"


def first_picture(studio):
    page = studio.page
    studio.look("empty")
    page.fill("#prompt", "a red apple on a yellow background")
    page.fill("#steps", "20")
    job = studio.finished(lambda: page.keyboard.press("Control+Enter"))
    page.locator(".tile").first.wait_for()
    page.wait_for_selector("#stage-picture:not([hidden])")
    seen = page.evaluate("({ ...seen, steps: seen.steps.size })")
    assert seen["previews"] > 0, "no preview was shown"
    assert seen["progress"] > 0 and seen["steps"] > 1, f"no progress was shown: {seen}"
    picture = job["pictures"][0]
    studio.until("document.querySelector('#stage-image').naturalWidth > 0")
    assert page.evaluate("document.querySelector('#stage-image').naturalWidth") == picture["width"]
    assert page.input_value("#seed") == str(picture["seed"]), "the seed that was drawn is shown"
    studio.look("picture")
    again = studio.finished(lambda: page.click("#generate"))
    assert again["pictures"][0]["seed"] != picture["seed"], "without the lock each run has its own seed"


def seeds(studio):
    page = studio.page
    page.click("#seed-dice")
    thrown = page.input_value("#seed")
    page.click("#seed-lock")
    first = studio.generate("a green pear", 2)
    second = studio.finished(lambda: page.click("#generate"))
    assert [str(job["pictures"][0]["seed"]) for job in (first, second)] == [thrown, thrown]
    assert first["pictures"][0]["id"] == second["pictures"][0]["id"], "the same settings make the same picture"
    page.fill("#seed", "18446744073709551615")
    if page.get_attribute("#seed-lock", "aria-pressed") != "true":
        page.click("#seed-lock")
    page.click("#generate")
    studio.until("[...document.querySelectorAll('#stage-text')].length")
    studio.until(
        """async () => /"seed":\\s*"?18446744073709551615/.test(await (await fetch('/api/v1/pictures?limit=1')).text())""")
    page.locator(".tile-open").first.click()
    page.locator(".facts", has_text="18446744073709551615").wait_for()
    page.keyboard.press("Escape")
    page.click("#seed-lock")


def reset(studio):
    page = studio.page
    page.fill("#seed", "7")
    if page.get_attribute("#seed-lock", "aria-pressed") != "true":
        page.click("#seed-lock")
    page.evaluate("document.querySelector('#settings-reset').click()")
    assert page.get_attribute("#seed-lock", "aria-pressed") == "false" and page.input_value("#seed") == ""
    job = studio.generate("a green pear", 2)
    assert page.input_value("#seed") == str(job["pictures"][0]["seed"]), "the seed that was drawn is shown"


def several_pictures(studio):
    page = studio.page
    job = studio.generate("a blue fish on a white background", 3, count=3)
    assert len(job["pictures"]) == 3
    studio.until("document.querySelectorAll('#stage-strip button').length === 3")
    page.click("#stage-strip li:nth-child(1) button")
    page.fill("#count", "1")


def use_settings(studio):
    page = studio.page
    job = studio.generate("a cat on a pink background", 5, guidance_scale=4, negative_prompt="a dog", width=192, height=128)
    picture = job["pictures"][0]
    page.fill("#prompt", "something else")
    for name, value in (("steps", 9), ("guidance_scale", 8), ("negative_prompt", ""), ("width", ""), ("height", "")):
        page.fill(f"#compose [name='{name}']", str(value))
    studio.open_picture(picture["id"])
    studio.look("viewer")
    page.click("#viewer-actions [data-action='use']")
    wanted = {"prompt": "a cat on a pink background", "negative_prompt": "a dog", "steps": "5", "guidance_scale": "4",
              "width": "192", "height": "128", "seed": str(picture["seed"])}
    got = {name: studio.value(name) for name in wanted}
    assert got == wanted, got
    again = studio.finished(lambda: page.click("#generate"))
    assert again["pictures"][0]["id"] == picture["id"], "its settings make the picture again"
    page.click("#seed-lock")


def settings_without_a_field(studio):
    """They come along with a picture: also random numbers that are usual, but not with the picture's rules."""
    page = studio.page
    asked = {"prompt": "a yellow star on a blue background", "steps": 5, "seed": 11, "profile": "a1111", "rng": "torch-cpu",
             "cache": "deep:2", "token_merging": 0.25}
    job = studio.api("/jobs", "POST", asked)["id"]
    studio.until("async (id) => (await (await fetch(`/api/v1/jobs/${id}`)).json()).state === 'done'", job, 60)
    picture = studio.api(f"/jobs/{job}")["pictures"][0]["id"]
    studio.tile(picture).wait_for()
    studio.open_picture(picture)
    page.click("#viewer-actions [data-action='use']")
    assert page.locator("#carried li").count() == 3, page.text_content("#carried")
    again = studio.finished(lambda: page.click("#generate"))
    assert again["pictures"][0]["id"] == picture, "its settings make the picture again"
    page.evaluate("document.querySelector('#settings-reset').click()")


def kept_over_a_reload(studio):
    page = studio.page
    page.fill("#prompt", "kept words")
    page.fill("#steps", "7")
    page.select_option("#sampler", "euler")
    page.wait_for_timeout(400)
    studio.open()
    assert (studio.value("prompt"), studio.value("steps"), studio.value("sampler")) == ("kept words", "7", "euler")
    page.select_option("#sampler", "")
    for name in ("width", "height", "negative_prompt"):
        page.fill(f"#compose [name='{name}']", "")


def sizes(studio):
    page = studio.page
    page.click("[data-ratio='2:3']")
    width, height = int(studio.value("width")), int(studio.value("height"))
    assert width < height and width % 8 == 0 and height % 8 == 0, (width, height)
    page.click("#size-swap")
    assert (studio.value("width"), studio.value("height")) == (str(height), str(width))
    assert page.get_attribute("[data-ratio='3:2']", "aria-pressed") == "true"
    page.fill("#width", "")
    page.fill("#height", "")


def larger_and_finer(studio):
    page = studio.page
    page.evaluate("document.querySelector('#hires').open = true")
    page.check("#hires-on")
    page.fill("[name='hires.scale']", "1.5")
    job = studio.generate("a red apple on a yellow background", 4, width=128, height=128)
    assert job["settings"]["hires"]["scale"] == 1.5
    assert (job["pictures"][0]["width"], job["pictures"][0]["height"]) == (192, 192)
    page.uncheck("#hires-on")
    for name in ("width", "height"):
        page.fill(f"#{name}", "")


def adapters(studio):
    page = studio.page
    page.fill("#prompt", "a town")
    page.click("#adapters-open")
    page.locator("#adapters-list button", has_text="watercolour").wait_for()
    studio.look("adapters")
    page.keyboard.type("ink")
    page.locator("#adapters-list button", has_text="watercolour").wait_for(state="detached")
    page.keyboard.press("Enter")
    assert page.input_value("#prompt") == "a town <lora:ink:0.8>", page.input_value("#prompt")
    assert page.locator("#adapters[open]").count() == 0


def errors_by_their_field(studio):
    page = studio.page
    page.fill("#prompt", "an apple")
    page.fill("#steps", "5000")
    page.click("#generate")
    page.locator(".slider:has(#steps) .field-error").wait_for()
    assert page.get_attribute("#steps", "aria-invalid") == "true"
    assert page.evaluate("document.activeElement.id") == "steps"
    studio.look("error")
    page.fill("#steps", "2")
    studio.finished(lambda: page.click("#generate"))
    assert page.locator(".field-error").count() == 0


def keyboard(studio):
    page = studio.page
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    page.wait_for_selector("#help[open]")
    studio.look("help")
    page.keyboard.press("Escape")
    theme = page.get_attribute("html", "data-theme")
    page.keyboard.press("t")
    assert page.get_attribute("html", "data-theme") != theme
    page.keyboard.press("t")
    page.keyboard.press("g")
    first = page.evaluate("document.activeElement.closest('.tile').dataset.id")
    page.keyboard.press("ArrowRight")
    second = page.evaluate("document.activeElement.closest('.tile').dataset.id")
    assert first != second
    page.keyboard.press("Enter")
    page.wait_for_selector("#viewer[open]")
    source = page.get_attribute("#viewer-image", "src")
    assert second in source
    page.keyboard.press("ArrowLeft")
    assert first in page.get_attribute("#viewer-image", "src")
    page.keyboard.press("Escape")
    studio.until("(id) => document.activeElement.closest('.tile')?.dataset.id === id", first)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    assert page.evaluate("document.activeElement.id") == "prompt"
    page.keyboard.press("Escape")
    page.keyboard.press("q")
    page.wait_for_selector("#queue:not([hidden])")
    page.keyboard.press("q")
