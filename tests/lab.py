"""A JupyterLab of its own, driven by a real Chromium: found by role and label, as a person finds things."""

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import time
from collections import Counter
from contextlib import contextmanager, suppress
from pathlib import Path

from pdmigrate.runs.lab import make_command, make_environment
from pdmigrate.runs.notebooks import copy_notebooks
from pdmigrate.workspace.folder import Workspace

ROOT = Path(__file__).parent.parent
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SLOW = int(os.environ.get("PDMIGRATE_BROWSER_SECONDS", 300)) * 1000
"""Milliseconds: a cold kernel on a busy machine."""
FAILED = ROOT / ".pytest_cache" / "browser"
"""Where the pictures of tests that failed are left."""
MOST_WORDS = 4000
"""Characters of a page, and of the console, that are told with the error."""
HAS_WORDS = "(panels, pattern) => panels.some(panel => RegExp(pattern, 'i').test(panel.textContent))"


def need_browser():
    """Playwright's API, or a skip that says what is missing."""
    if CHROMIUM is None:
        from conftest import skip  # here, since the pictures and the benchmark use this module without pytest

        skip("there is no Chromium here")
    from playwright.sync_api import sync_playwright

    return sync_playwright


@contextmanager
def start_browser():
    """A browser. To start one takes a second of the processor; a context in it, next to nothing."""
    with need_browser()() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_context(browser, **options):
    """A browser context, and what went wrong in it: page errors, console messages, requests that left this machine."""
    opened = browser.new_context(**options)
    seen = {"errors": [], "console": [], "outside": [], "requests": []}
    opened.on("page", lambda page: page.on("pageerror", lambda error: seen["errors"].append(str(error))))
    opened.on("console", lambda message: seen["console"].append(message.text))
    opened.on("request", lambda request: _note(request.url, seen))
    try:
        yield opened, seen
    except Exception as error:
        _keep_what_was_seen(opened, seen, error)
        raise
    finally:
        opened.close()


@contextmanager
def open_browser(**options):
    """A browser for one context."""
    with start_browser() as browser, open_context(browser, **options) as found:
        yield found


def _keep_what_was_seen(context, seen, error):
    """What was on the screen when a test failed: a picture of each page, and with the error its words and the console's."""
    FAILED.mkdir(parents=True, exist_ok=True)
    with suppress(Exception):  # a page that cannot even be drawn must not hide why the test failed
        for number, page in enumerate(context.pages):
            picture = FAILED / f"{os.getpid()}-{number}.png"
            error.add_note(f"{picture}:\n{page.inner_text('body')[-MOST_WORDS:]}")
            page.screenshot(path=picture, timeout=60_000)
    for told in ("errors", "console"):
        error.add_note(f"{told}: {' | '.join(seen[told])[-MOST_WORDS:]}")


def _note(url, seen):
    seen["requests"].append(url)
    if url.startswith(("http", "ws")) and "//127.0.0.1" not in url:
        seen["outside"].append(url)


@contextmanager
def start_lab(workspace, folder, **variables):
    """JupyterLab on a workspace as `pdmigrate lab` starts it; yields its address. folder: what is JupyterLab's own."""
    place = Workspace(workspace)
    copy_notebooks(place)
    folder.mkdir(parents=True, exist_ok=True)
    token = secrets.token_hex(16)
    save_state(folder, True)
    process = _start_server(place, folder, token, variables)
    try:
        yield f"{find_address(process, folder / 'lab.log')}/lab/tree/notebooks?token={token}&reset"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(600)


def save_state(folder, on):
    """Whether the state of widgets is kept in a notebook that is saved: what that may give away. A window opened anew knows."""
    _set(folder, "@jupyter-widgets/jupyterlab-manager/plugin", saveState=on)


def _set(folder, plugin, **values):
    path = folder / "settings" / f"{plugin}.jupyterlab-settings"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values))


def _start_server(place, folder, token, variables):
    own = {
        name: str(folder / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    }
    own |= {"JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"), "PYTHONPATH": str(ROOT)}
    command = [*make_command(place), "--no-browser", "--port=0", f"--IdentityProvider.token={token}"]
    with open(folder / "lab.log", "w") as log:
        environment = {**make_environment(place), **own, **variables}
        return subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)


def find_address(process, log):
    """Where JupyterLab listens, of the port that it found for itself: what it says once it does."""
    for _ in range(3000):
        if said := re.search(r"running at:\s.*?(http://127\.0\.0\.1:\d+)/lab", log.read_text()):
            return said[1]
        assert process.poll() is None, log.read_text()
        time.sleep(0.2)
    raise AssertionError("JupyterLab did not come up within ten minutes")


def _is_save(request):
    return request.method == "PUT" and "/api/contents/" in request.url


class Lab:
    """One window of JupyterLab. Notebooks are opened in it one after the other."""

    def __init__(self, context, url):
        self.page = context.new_page()
        self.page.set_default_timeout(SLOW)
        self.url = url
        self.page.goto(url)

    def open_anew(self):
        """As `pdmigrate lab` opens it on another day: the list of files shows the notebooks. What was not saved is lost."""
        self.page.goto(self.url)
        self.page.get_by_role("menuitem", name="File", exact=True).wait_for()

    def shut_down_kernels(self):
        """All of them, as a person does. JupyterLab asks the server for one after the other: who goes on before its end leaves some."""
        self.page.get_by_role("menuitem", name="Kernel", exact=True).click()
        self.page.get_by_text("Shut Down All Kernels…", exact=True).click()
        self.page.get_by_role("button", name="Shut Down All", exact=True).click()
        while self.page.request.get(self.url.replace("/lab/tree/notebooks", "/api/kernels")).json():
            self.page.wait_for_timeout(200)

    def open(self, name):
        """Open a notebook from the list of files, and wait for its kernel."""
        self.page.get_by_role("listitem", name=re.compile(re.escape(name))).first.dblclick()
        return Notebook(self.page)


class Notebook:
    """The notebook in front. clicks: how many a person has made in it; to type into a field is one, a menu takes two."""

    def __init__(self, page, panel=None, clicks=None):
        self.page, self.clicks = page, clicks if clicks is not None else Counter()
        self.panel = panel or page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        self.wait_idle()

    def within(self, call):
        """Only the cell that makes this call: others have fields of the same name."""
        code = self.page.locator(".jp-InputArea", has_text=call)
        return Notebook(self.page, self.panel.locator(".jp-CodeCell", has=code).last, self.clicks)

    def wait_idle(self):
        """Until the kernel has nothing to do: before that, Run All moves the cursor and runs nothing."""
        self.page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()

    def run_all(self):
        """Run every cell, and wait for the last one."""
        self.start_all()
        self.wait_run()

    def start_all(self):
        """Run every cell; the first one has begun."""
        self.clicks["run all"] += 2
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_text("Run All Cells", exact=True).click()
        self.panel.locator(".jp-InputPrompt", has_text="*").first.wait_for(state="attached")

    def wait_run(self):
        """Until no cell waits any more."""
        self.panel.locator(".jp-InputPrompt", has_text="*").last.wait_for(state="detached")
        self.wait_idle()

    def press(self, name):
        """Click the button of this name, or one that it describes; the last, where a cell above has one, too."""
        self.clicks["press"] += 1
        self.panel.get_by_role("button", name=name, exact=True).last.click()

    def press_first(self, name):
        """The first of the buttons that it describes."""
        self.clicks["press"] += 1
        self.panel.get_by_role("button", name=name, exact=True).first.click()

    def fill(self, label, words):
        self.clicks["fill"] += 1
        self.panel.get_by_label(label, exact=True).last.fill(words)

    def choose(self, label, words):
        self.clicks["choose"] += 2
        self.panel.get_by_label(label, exact=True).last.select_option(label=words)

    def pick(self, label, words):
        """Choose the option that has these words, beside a count."""
        self.clicks["choose"] += 2
        menu = self.panel.get_by_label(label, exact=True).last
        menu.select_option(label=menu.locator("option", has_text=words).text_content())

    def tick(self, words):
        """Tick the box whose label has these words."""
        self.clicks["tick"] += 1
        self.panel.get_by_role("checkbox", name=re.compile(re.escape(words))).last.check()

    def search(self, words, found):
        """Type into the last search, and wait until so many rows are left."""
        self.fill("Search", words)
        self.see(re.compile(rf"rows? 1 to {found} of {found}(?!\d)"))

    def see(self, words):
        """Wait until these words, or this pattern, are in the notebook.

        All of its text is looked through at once; to ask each element takes a hundred times as long, and is done in the end only.
        """
        pattern = words.pattern if isinstance(words, re.Pattern) else re.escape(words)
        end = time.monotonic() + SLOW / 1000
        while not self.panel.evaluate_all(HAS_WORDS, pattern):
            assert time.monotonic() < end, f"it never said: {pattern}"
            self.page.wait_for_timeout(200)
        self.panel.get_by_text(words).last.wait_for()

    def save(self):
        """Save, and wait until it is in the file: what the page has not saved, one that is opened anew does not show."""
        self.page.get_by_role("menuitem", name="File", exact=True).click()
        with self.page.expect_request(_is_save) as sent:
            self.page.get_by_text("Save Notebook", exact=True).click()
        assert sent.value.response().ok
