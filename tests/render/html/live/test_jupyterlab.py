"""In a real JupyterLab: a live view, whose selection Python reads and sets; a result; a list of them; an error."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import attnscope as ats
from attnscope.serve.running import listen

pytestmark = pytest.mark.slow  # a server, a kernel and a real model

TEXT = "The Eiffel Tower is in Paris. The capital of Japan is"
SHOW = f"import attnscope as ats\nmodel = ats.load()\nview = ats.live(model, {TEXT!r}, height=800)\nview"
READ = "print('seen:', view.selection, len(view.result.words))"
SET = "view.selection = {'method': 'gradient_x_input', 'panel': 'importance'}"
CHANGE = "(theme) => jupyterapp.commands.execute('apputils:change-theme', { theme })"
RESULT = "import attnscope as ats\nr = ats.Attribution.of('The cat sat.', ['The', 'cat'], [0.1, 0.9])\nr"
BAR = (
    "from attnscope.models.progress import progress\nimport time\n"
    "for step in progress(range(6), 'halves', 6): time.sleep(0.5)"
)
PATIENCE = 90_000


@pytest.fixture(autouse=True)
def _patient() -> Iterator[None]:
    expect.set_options(timeout=PATIENCE)
    yield
    expect.set_options(timeout=5_000)


@contextmanager
def jupyterlab(folder: Path) -> Iterator[str]:
    """The address of a JupyterLab over this folder, with nothing of the user's own settings."""
    settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}', "utf-8")
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    own = {name: str(folder / name) for name in ("config", "data", "runtime", "ipython")}
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(ats.__file__).parents[1]),
        "JUPYTER_CONFIG_DIR": own["config"], "JUPYTER_DATA_DIR": own["data"], "JUPYTER_RUNTIME_DIR": own["runtime"],
        "IPYTHONDIR": own["ipython"], "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
    }  # fmt: skip
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}", "--port-retries=0",
        "--expose-app-in-browser", "--IdentityProvider.token=secret", f"--ServerApp.root_dir={folder}",
    ]  # fmt: skip
    log = folder / "log"
    with log.open("w") as written:
        server = subprocess.Popen(command, env=environment, stdout=written, stderr=written)
    try:
        for _ in range(240):
            assert server.poll() is None, log.read_text("utf-8")
            with suppress(urllib.error.URLError, ConnectionError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api/status?token=secret", timeout=5).close()
                break
            time.sleep(0.25)
        else:
            pytest.fail(log.read_text("utf-8"))
        yield f"http://127.0.0.1:{port}/lab/tree/live.ipynb?token=secret"
    finally:
        server.terminate()
        server.wait(30)


def notebook(*cells: str) -> str:
    code = [
        {"cell_type": "code", "id": f"cell{i}", "metadata": {}, "execution_count": None, "outputs": [], "source": cell}
        for i, cell in enumerate(cells)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": code})


def run(page: Page, cell: int) -> None:
    page.locator(".jp-Notebook .jp-Cell").nth(cell).locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")


def read(page: Page) -> str:
    """What the second cell prints, run now."""
    output = page.locator(".jp-Notebook .jp-Cell").nth(1).locator(".jp-OutputArea-output pre")
    run(page, 1)
    expect(output).to_contain_text("seen:")
    return str(output.text_content())


def until_read(page: Page, part: str) -> str:
    """The page tells Python a moment after something has changed."""
    for _ in range(40):
        if part in (said := read(page)):
            return said
        page.wait_for_timeout(250)
    pytest.fail(f"{part} does not come: {said}")


@contextmanager
def opened(browser: Browser, folder: Path, *cells: str) -> Iterator[Page]:
    """A notebook whose first cell has been run; afterwards: no error in it or in its frames."""
    folder.joinpath("live.ipynb").write_text(notebook(*cells), "utf-8")
    window = browser.new_context(viewport={"width": 1300, "height": 1250})
    window.set_default_timeout(PATIENCE)
    errors: list[str] = []
    window.on("weberror", lambda error: errors.append(str(error.error)))
    with jupyterlab(folder) as address:
        try:
            page = window.new_page()
            page.goto(address)
            page.get_by_text("| Idle").wait_for()
            run(page, 0)
            yield page
        finally:
            window.close()
    assert errors == []


def test_a_view_in_jupyterlab_is_read_and_set_from_python(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, SHOW, READ, SET) as page:
        frame = page.frame_locator("iframe[title=attnscope]")
        expect(frame.locator("[data-part=importance-holder] .u")).to_have_count(12)
        said = read(page)
        assert f"'text': '{TEXT}'" in said
        assert said.endswith("12\n")
        frame.locator("[data-part=importance-holder] .u", has_text="Japan").click()
        expect(frame.locator("[data-part=strips-title]")).to_have_text("“Japan” in every head")
        assert "'panel': 'attention'" in until_read(page, f"'word': {TEXT.index('Japan')}")
        run(page, 2)
        heading = frame.locator("[data-part=importance-holder] h1")
        expect(heading).to_be_visible()
        expect(heading).to_have_text("Importance by gradient x input")
        assert "'panel': 'importance'" in until_read(page, "'method': 'gradient_x_input'")
        # It is as dark as the notebook around it, and turns with it.
        background = "getComputedStyle(document.documentElement).backgroundColor"
        body = frame.locator("body")
        assert body.evaluate(background) == "rgb(255, 255, 255)"
        page.evaluate(CHANGE, "JupyterLab Dark")
        expect(frame.locator("html")).to_have_attribute("data-host", "dark")
        assert body.evaluate(background) != "rgb(255, 255, 255)"
        page.evaluate(CHANGE, "JupyterLab Light")
        expect(frame.locator("html")).to_have_attribute("data-host", "light")


def test_results_in_jupyterlab_are_as_their_notebook_and_an_error_is_one_line(browser: Browser, tmp_path: Path) -> None:
    cells = (RESULT, "ats.Results([r, r])", "ats.Attribution.of('a', ['z'], [1])", BAR, "print('after')")
    with opened(browser, tmp_path, *cells) as page:
        run(page, 1)
        frames = page.locator("iframe[title='Own scores']")
        expect(frames).to_have_count(3)
        run(page, 2)
        error = page.locator(".jp-Notebook .jp-Cell").nth(2).locator(".jp-OutputArea-output")
        expect(error).to_have_text("InputError: word 0 is 'z', which the text does not have after its character 0")
        for theme, colour in (("Dark", "rgb(21, 23, 28)"), ("Light", "rgb(255, 255, 255)")):
            page.evaluate(CHANGE, f"JupyterLab {theme}")
            for place in range(3):
                html = frames.nth(place).content_frame.locator("html")
                expect(html).to_have_css("background-color", colour)
        for place in range(3):
            assert frames.nth(place).evaluate("frame => frame.offsetHeight") < 260
        # A bar is there while it counts, and leaves nothing, in the saved notebook either.
        run(page, 3)
        outputs = page.locator(".jp-Notebook .jp-Cell").nth(3).locator(".jp-OutputArea-output")
        expect(outputs).to_contain_text("halves:")
        run(page, 4)
        expect(page.locator(".jp-Notebook .jp-Cell").nth(4).locator(".jp-OutputArea-output")).to_have_text("after")
        expect(outputs).to_have_count(0)
        page.evaluate("jupyterapp.commands.execute('docmanager:save')")
        page.wait_for_timeout(1000)
        saved = json.loads((tmp_path / "live.ipynb").read_text("utf-8"))["cells"][3]["outputs"]
        assert [output.get("data") for output in saved] == [{}]
