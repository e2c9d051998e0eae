"""What our scripts do to a page while somebody reads it, or opens a link in it."""

from playwright.sync_api import Page, expect

_STREAMS = """
window.streams = [];
const Real = window.EventSource;
window.EventSource = class extends Real {
  constructor(...given) { super(...given); window.streams.push(this); }
};
"""
_HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => Boolean(hidden) });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
_OPEN = "() => window.streams.filter((each) => each.readyState !== EventSource.CLOSED).length"


def test_a_page_that_is_read_stays(page: Page) -> None:
    """What was typed into the keys' page is there after a while: it is loaded once, and never by itself."""
    loaded: list[str] = []
    page.on("framenavigated", lambda frame: loaded.append(frame.url))
    page.goto("/recipients")
    page.get_by_role("textbox").first.fill("ssh-ed25519 AAAA")
    page.wait_for_timeout(4_500)

    assert 1 == len(loaded)
    expect(page.get_by_role("textbox").first).to_have_value("ssh-ed25519 AAAA")


def test_a_link_opened_where_its_page_is_shown_is_taken(page: Page) -> None:
    """Only the fragment changes then, and nothing is loaded: the code is in the form, not in the address."""
    page.goto("/password")
    page.evaluate("location.hash = 'one-time-code'")
    code = page.locator("input[name=code]")

    expect(code).to_have_value("one-time-code")
    expect(code).not_to_be_visible()
    assert "" == page.evaluate("location.hash")


def test_a_screen_that_waits_takes_a_link(page: Page) -> None:
    """The code is sent by itself, from a page that stood there before."""
    page.goto("/screen/pair")
    page.route(
        "**/screen/pair",
        lambda route: (
            route.fulfill(status=200, body="ok") if route.request.method == "POST" else route.continue_()
        ),
    )
    with page.expect_request(lambda request: request.method == "POST") as sent:
        page.evaluate("location.hash = 'no-such-code'")

    assert "code=no-such-code" in str(sent.value.post_data)


def test_a_hidden_page_holds_no_connection(page: Page) -> None:
    """A browser has six to a host, for all its tabs; what is shown again listens again."""
    page.add_init_script(_STREAMS)
    for address in ("/", "/log"):
        page.goto(address)
        page.wait_for_function(f"({_OPEN})() === 1")
        page.evaluate(_HIDE, 1)
        page.wait_for_function(f"({_OPEN})() === 0")
        page.evaluate(_HIDE, 0)
        page.wait_for_function(f"({_OPEN})() === 1")
