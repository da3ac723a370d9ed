"""The gallery: found, liked, thrown away, compared."""


def gallery(studio):
    page = studio.page
    page.fill("#search", "blue fish")
    studio.until("document.querySelectorAll('.tile').length === 3")
    page.fill("#search", "nothing of that kind")
    page.locator("#gallery-end", has_text="Nothing was found").wait_for()
    page.fill("#search", "")
    studio.until("document.querySelectorAll('.tile').length > 3")

    first = page.locator(".tile").first
    identifier = first.get_attribute("data-id")
    first.hover()
    first.locator(".tile-heart").click()
    studio.until("document.querySelector('.tile-heart').ariaPressed === 'true'")
    page.locator("[name='shelf'][value='favourite']").check(force=True)
    studio.until("document.querySelectorAll('.tile').length === 1")
    assert studio.tile(identifier).count() == 1

    studio.open_picture(identifier)
    page.fill("#viewer-details .tag-form input", "best of all")
    page.keyboard.press("Enter")
    page.locator("#viewer-details .chip", has_text="best of all").wait_for()
    page.keyboard.press("Escape")
    page.locator("[name='shelf'][value='all']").check(force=True)
    studio.until("document.querySelectorAll('.tile').length > 3")
    page.locator("#tags button", has_text="best of all").click()
    studio.until("document.querySelectorAll('.tile').length === 1")
    page.locator("#tags button", has_text="best of all").click()
    studio.until("document.querySelectorAll('.tile').length > 3")


def trash(studio):
    page = studio.page
    count = page.locator(".tile").count()
    identifier = page.locator(".tile").nth(1).get_attribute("data-id")
    studio.tile(identifier).locator(".tile-open").focus()
    page.keyboard.press("Delete")
    studio.notice("in the trash")
    studio.tile(identifier).wait_for(state="detached")
    page.locator(".toast button", has_text="Undo").last.click()
    studio.tile(identifier).wait_for()
    assert page.locator(".tile").count() == count
    studio.open_picture(identifier)
    page.keyboard.press("Delete")
    studio.tile(identifier).wait_for(state="detached")
    assert page.locator("#viewer[open]").count() == 1, "the viewer goes on to the next picture"
    page.keyboard.press("Escape")
    page.locator("[name='shelf'][value='trash']").check(force=True)
    studio.tile(identifier).wait_for()
    studio.look("trash")
    studio.tile(identifier).locator(".tile-open").focus()
    page.keyboard.press("r")
    studio.tile(identifier).wait_for(state="detached")
    page.locator("[name='shelf'][value='all']").check(force=True)
    studio.tile(identifier).wait_for()
    # For good: from the trash only.
    studio.tile(identifier).locator(".tile-open").focus()
    page.keyboard.press("Delete")
    studio.tile(identifier).wait_for(state="detached")
    page.locator("[name='shelf'][value='trash']").check(force=True)
    studio.open_picture(identifier)
    page.click("#viewer-actions [data-action='remove']")
    page.locator("#gallery-end", has_text="The trash is empty").wait_for()
    page.locator("[name='shelf'][value='all']").check(force=True)
    studio.until("document.querySelectorAll('.tile').length > 3")
    assert studio.tile(identifier).count() == 0
    if page.locator("#viewer[open]").count():
        page.keyboard.press("Escape")


def compare(studio):
    page = studio.page
    for index in (0, 2):
        page.locator(".tile").nth(index).locator(".tile-open").focus()
        page.keyboard.press("x")
    page.locator("#selection", has_text="2 selected").wait_for()
    studio.look("selected")
    page.locator("#selection button", has_text="Compare").click()
    page.wait_for_selector("#compare[open]")
    studio.until("[...document.querySelectorAll('#compare img')].every((image) => image.naturalWidth > 0)")
    split = lambda: float(page.evaluate("parseFloat(document.querySelector('#compare-frame').style.getPropertyValue('--split'))"))
    box = page.locator("#compare-frame").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    assert abs(split() - 25) < 2, split()
    page.keyboard.press("ArrowRight")
    assert split() > 25
    before = page.get_attribute("#compare-second", "src")
    page.keyboard.press("ArrowDown")
    assert page.get_attribute("#compare-second", "src") != before, "↓ takes another picture"
    assert page.locator("#compare-differences tr").count() > 1
    studio.look("compare")
    page.keyboard.press("Escape")


def small_pictures(studio, prompt, count):
    """Makes many at once, and leaves the form as it was."""
    page = studio.page
    studio.generate(prompt, 1, width=64, height=64, count=count)
    page.fill("#count", "1")
    for name in ("width", "height"):
        page.fill(f"#{name}", "")
    page.wait_for_timeout(400)


def endless_scroll(studio):
    page = studio.page
    small_pictures(studio, "a yellow star on a blue background", 30)
    studio.open()
    first = page.locator(".tile").count()
    total = len(studio.api("/pictures?limit=200")["pictures"])
    assert total > 30, total
    page.evaluate("document.querySelector('#main').scrollTo(0, 1e6)")
    studio.until("(total) => document.querySelectorAll('.tile').length === total", total)
    identifiers = page.evaluate("[...document.querySelectorAll('.tile')].map((tile) => tile.dataset.id)")
    assert len(set(identifiers)) == total, "none comes twice"
    page.evaluate("document.querySelector('#main').scrollTo(0, 0)")
    return f"{first} tiles at first, {total} in the end"


def large_screen(studio):
    """Where more than a page of tiles is seen at once, nothing need be scrolled for the next."""
    page = studio.page
    small_pictures(studio, "a yellow star on a green background", 60)
    before = page.viewport_size
    page.set_viewport_size({"width": 3840, "height": 2160})
    studio.open()
    total = len(studio.api("/pictures?limit=200")["pictures"])
    assert total > 90, total
    height = "document.querySelector('#main').scrollHeight - document.querySelector('#main').clientHeight"
    studio.until(f"(total) => {height} > 900 || document.querySelectorAll('.tile').length === total", total)
    page.set_viewport_size(before)
