"""The page in more tabs than one."""
import re
import time
import urllib.request

from page import Studio


def many_tabs(browser, url, shots=None):
    """More tabs than a browser has connections: all live by one stream, whichever of them is closed."""
    context = browser.new_context(viewport={"width": 1000, "height": 700})
    context.set_default_timeout(20_000)
    # Pages of other contexts are there, too.
    before = int(re.search(r"^easel_event_streams (\d+)", urllib.request.urlopen(url + "metrics").read().decode(), re.M)[1])
    tabs = [Studio(context, url, shots).open() for _ in range(9)]
    streams = lambda: int(re.search(r"^easel_event_streams (\d+)", tabs[-1].page.evaluate("fetch('/metrics').then((answer) => answer.text())"), re.M)[1])

    def one_stream():
        end = time.monotonic() + 20
        # A stream that is closed is counted until something is written to it.
        while (count := streams()) != before + 1:
            assert time.monotonic() < end, f"{count - before} streams"
            time.sleep(0.2)

    one_stream()
    first = tabs[3].generate("seen in every tab", 3)["pictures"][0]["id"]
    for tab in tabs:
        tab.tile(first).wait_for()
    # The one that has the stream, and the one after it.
    for tab in tabs[:2]:
        tab.page.close()
        second = tabs[4].generate("seen in those that are left", 3)["pictures"][0]["id"]
        for tab in tabs[2:]:
            tab.tile(second).wait_for()
            assert tab.text("#connection") == ""
    one_stream()
    errors = [error for tab in tabs for error in tab.errors]
    assert not errors, errors
    context.close()


def without_locks(browser, url):
    """Where tabs cannot share a stream, one that nobody sees has none, and catches up when it is seen."""
    context = browser.new_context(viewport={"width": 1000, "height": 700})
    context.add_init_script("""Object.defineProperty(navigator, 'locks', { value: undefined });
        window.show = (hidden) => {
            Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
            document.dispatchEvent(new Event('visibilitychange'));
        };""")
    studio = Studio(context, url).open()
    first = studio.generate("seen at once", 2)["pictures"][0]["id"]
    studio.tile(first).wait_for()
    studio.page.evaluate("show(true)")
    second = studio.generate("seen later", 2)["pictures"][0]["id"]
    assert studio.tile(second).count() == 0, "a hidden tab has no stream"
    studio.page.evaluate("show(false)")
    studio.tile(second).wait_for()
    assert not studio.errors, studio.errors
    context.close()
