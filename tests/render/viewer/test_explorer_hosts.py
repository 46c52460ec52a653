"""The explorer in hosts that forbid what it uses: it shows the same, or says in the page why it does not."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from browsing import ready
from drawn_maps import TEXT, maps_of
from playwright.sync_api import Browser, Page, expect

from attnscope.render import render

VIEW = "#view=text&unit=token&pin=5"
# What a host's policy forbids beside what the page's own does.
POLICIES = {
    "no workers": "worker-src 'none'",
    "nothing but the script": "default-src 'none'; script-src 'unsafe-inline'",
}
# What runs before the page, in a browser that is too old or a host that is in the way.
BEFORE = {
    "no Worker at all": "delete window.Worker",
    "a worker that never answers": """
        window.Worker = class { postMessage() {} terminate() {} };
        const later = window.setTimeout;
        window.setTimeout = (called, after, ...given) => later(called, after === 5000 ? 10 : after, ...given);
    """,
    "a worker that fails at its first question": """
        window.Worker = class {
            postMessage({ job }) { if (job !== "setup") this.onerror(new Event("error", { cancelable: true })); }
            terminate() {}
        };
    """,
}


@contextmanager
def hosted(browser: Browser, path: Path, *, policy: str = "", before: str = "", view: str = VIEW) -> Iterator[Page]:
    content = render(maps_of(TEXT, layers=3, causal=True), ".html").decode()
    host = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    (path / "page.html").write_text(
        content.replace("<head>", "<head>" + host if policy else "<head>"), encoding="utf-8"
    )
    window = browser.new_context()
    window.set_default_timeout(8000)
    page = window.new_page()
    if before:
        page.add_init_script(before)
    page.goto((path / "page.html").as_uri() + view)
    yield page
    window.close()


def rows(page: Page) -> list[str]:
    expect(page.locator("[data-part=top-rows] tr").first).to_be_visible()
    ready(page)
    return page.locator("[data-part=top-rows] tr").all_text_contents()


@pytest.mark.parametrize("view", [VIEW, VIEW + "&from=rollout", "#view=flow&unit=token&pin=5"])
def test_without_a_worker_the_page_does_the_work_itself(browser: Browser, tmp_path: Path, view: str) -> None:
    with hosted(browser, tmp_path, view=view) as page:
        expected = rows(page)
    assert expected
    for policy in POLICIES:
        with hosted(browser, tmp_path, policy=policy, view=view) as page:
            assert rows(page) == expected, policy
    for name, before in BEFORE.items():
        with hosted(browser, tmp_path, before=before, view=view) as page:
            assert rows(page) == expected, name


@pytest.mark.parametrize("view", [VIEW, "#view=overview"])
def test_a_browser_without_decompression_is_told(browser: Browser, tmp_path: Path, view: str) -> None:
    before = "delete window.DecompressionStream; delete window.Worker"
    with hosted(browser, tmp_path, before=before, view=view) as page:
        expect(page.locator("[data-part=notes]")).to_contain_text("has no DecompressionStream")


def test_a_page_whose_script_may_not_run_says_so(browser: Browser, tmp_path: Path) -> None:
    with hosted(browser, tmp_path, policy="script-src 'none'") as page:
        expect(page.locator("[data-part=no-script]")).to_be_visible()
        expect(page.locator("[data-part=no-script]")).to_contain_text("it has not run")
    with hosted(browser, tmp_path) as page:
        rows(page)
        expect(page.locator("[data-part=no-script]")).to_be_hidden()
