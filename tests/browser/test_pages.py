"""What a person in front of the pages can see and do, and what the pages must never do to that person."""

from __future__ import annotations

import time

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from mentions.records import IncidentState
from tests.browser.conftest import Served

pytestmark = pytest.mark.browser
PATHS = (
    "/",
    "/mentions",
    "/stories",
    "/alerts",
    "/alerts?id=1",
    "/debates",
    "/sources",
    "/accuracy",
    "/mentions?id=test:9999",
)


def open_page(page: Page, served: Served, path: str) -> None:
    """Go there and wait until it has drawn itself."""
    page.goto(served.url + path)
    expect(page.locator(".es-line")).to_be_visible(timeout=30_000)
    expect(page.locator("h1")).to_have_count(1, timeout=30_000)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=30_000)


def test_a_crisis_is_seen_at_once_and_leads_to_its_alert(served: Served, page: Page) -> None:
    open_page(page, served, "/")
    top = page.locator("h1")
    expect(top).to_contain_text("■ RED since")
    box = top.bounding_box()
    assert box is not None
    assert box["y"] < 200
    page.get_by_role("link", name="Open alert 1").click()
    expect(page.get_by_role("heading", name="Alert 1")).to_be_visible(timeout=15_000)
    assert "id=1" in page.url


def test_a_full_tour_asks_nobody_else_for_anything(served: Served, page: Page) -> None:
    asked: list[str] = []
    dialogs: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    for path in PATHS:
        open_page(page, served, path)
        page.wait_for_timeout(1_000)
    strangers = [url for url in asked if not url.startswith((served.url, "data:", "blob:"))]
    assert not strangers
    assert not dialogs
    assert page.evaluate("window.pwned") is None


def test_hostile_boards_are_shown_in_full_as_words(served: Served, page: Page) -> None:
    for path, said in (
        ("/stories", "Campaign: 8 posts"),
        ("/debates", "asks something <b>an officer</b>"),
        ("/accuracy", "Labelled by: Two <b>readers</b>"),
    ):
        open_page(page, served, path)
        expect(page.get_by_text(said).first).to_be_visible(timeout=15_000)
        assert page.locator("img[src*=evil], a[href*=evil], a[href^=javascript]").count() == 0
        assert "someone_private" not in page.content()
        assert "a.person@mail" not in page.content()


def test_a_hostile_post_makes_no_picture_and_no_link(served: Served, page: Page) -> None:
    open_page(page, served, "/mentions?id=test:9999")
    expect(page.get_by_text("Met officers again").first).to_be_visible()
    assert page.locator("img[src*=evil], a[href*=evil], a[href^=javascript]").count() == 0
    assert "someone_private" not in page.content()
    link = page.get_by_role("link", name="Open the original at forum.example")
    assert "noreferrer" in (link.get_attribute("rel") or "")
    assert link.get_attribute("target") == "_blank"


def test_every_page_of_html_carries_the_safety_headers(served: Served) -> None:
    for path in ("/", "/mentions", "/alerts"):
        headers = httpx.get(served.url + path).headers
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "script-src 'self' 'sha256-" in policy
        assert "unsafe-eval" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_a_foreign_host_name_is_refused(served: Served) -> None:
    assert httpx.get(served.url, headers={"Host": "rebound.example"}).status_code == httpx.codes.BAD_REQUEST


def test_the_state_for_machines_holds_no_words_of_posts(served: Served) -> None:
    answer = httpx.get(served.url + "/api/v1/state")
    told = answer.json()
    assert (told["word"], told["daemon"]) == ("Red", True)
    assert told["open"] >= 1
    assert "library" not in answer.text
    assert httpx.get(served.url + "/api/healthz").json()["ok"] is True


def test_news_that_stop_are_said_to_have_stopped(served: Served, page: Page) -> None:
    open_page(page, served, "/")
    dead = page.locator(".es-dead")
    expect(dead).to_be_hidden()
    served.freeze()
    try:
        expect(dead).to_be_visible(timeout=12_000)
    finally:
        served.thaw()
    expect(dead).to_be_hidden(timeout=20_000)


def test_a_browser_in_new_york_reads_the_same_times(served: Served, browser: Browser) -> None:
    seen = []
    for zone in ("Europe/London", "America/New_York"):
        context = browser.new_context(timezone_id=zone)
        page = context.new_page()
        open_page(page, served, "/")
        words = page.locator(".stVegaLiteChart svg text")
        expect(words.filter(has_text="■ alert 1")).to_have_count(1, timeout=15_000)
        seen.append((page.locator("h1").inner_text(), words.all_text_contents()))
        context.close()
    assert seen[0] == seen[1]


@pytest.mark.parametrize("path", ["/", "/mentions", "/stories", "/debates", "/alerts?id=1", "/sources", "/accuracy"])
def test_a_phone_needs_no_scrolling_sideways(served: Served, browser: Browser, path: str) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 844})
    page = context.new_page()
    open_page(page, served, path)
    page.wait_for_timeout(500)
    main = page.get_by_test_id("stMain")
    assert main.evaluate("box => box.scrollWidth <= box.clientWidth")
    line = page.locator(".es-line").bounding_box()
    assert line is not None
    assert line["y"] + line["height"] < 400
    context.close()


def test_choosing_a_row_opens_that_post(served: Served, page: Page) -> None:
    open_page(page, served, "/mentions?q=Cordon")
    table = page.get_by_test_id("stDataFrame").first
    expect(table).to_be_visible()
    page.wait_for_timeout(1_500)
    box = table.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 18, box["y"] + 35 + 17)
    expect(page.get_by_role("button", name="Close")).to_be_visible(timeout=15_000)
    expect(page.get_by_text("Cordon still up by the station").first).to_be_visible()
    assert "id=test" in page.url


def test_filters_travel_in_the_address(served: Served, page: Page, browser: Browser) -> None:
    open_page(page, served, "/mentions")
    page.get_by_role("searchbox", name="Search").fill("cordon")
    page.keyboard.press("Enter")
    expect(page.get_by_text("newest first")).to_be_visible()
    page.wait_for_url("**q=cordon*")
    other = browser.new_context()
    theirs = other.new_page()
    theirs.goto(page.url)
    expect(theirs.get_by_role("searchbox", name="Search")).to_have_value("cordon", timeout=20_000)
    other.close()


def test_an_export_is_masked_and_starts_no_formula(served: Served, page: Page) -> None:
    open_page(page, served, "/mentions?q=officers")
    page.get_by_text("Export these posts (CSV)").click()
    name = page.get_by_role("textbox", name="Your name")
    name.fill("R. Duty")
    name.press("Enter")
    button = page.get_by_role("button", name="Download CSV")
    expect(button).to_be_enabled(timeout=15_000)
    with page.expect_download(timeout=20_000) as download:
        button.click()
    content = download.value.path().read_text("utf-8-sig")
    assert "Met officers again" in content
    assert "someone_private" not in content
    entry = next(one for one in served.seeded.state.audit_trail(20) if one.action == "export")
    assert entry.actor == "R. Duty"


def test_the_keyboard_alone_acknowledges_an_alert(served: Served, page: Page) -> None:
    open_page(page, served, "/alerts?id=2")
    page.get_by_role("textbox", name="Your name").focus()
    page.keyboard.type("K. Board")
    page.keyboard.press("Enter")
    button = page.get_by_role("button", name="Acknowledge")
    expect(button).to_be_enabled(timeout=15_000)
    page.keyboard.press("Tab")  # the note
    page.keyboard.press("Tab")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("owner K. Board")).to_be_visible(timeout=15_000)
    assert served.seeded.state.incident(2).state is IncidentState.ACKNOWLEDGED


def test_a_server_that_comes_back_finds_the_page_where_it_was(served: Served, context: BrowserContext) -> None:
    page = context.new_page()
    open_page(page, served, "/?window=7d")
    served.freeze()
    time.sleep(3)
    served.thaw()
    expect(page.get_by_role("radio", name="7d")).to_be_checked(timeout=20_000)
    assert "window=7d" in page.url
