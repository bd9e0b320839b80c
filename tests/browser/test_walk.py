"""A real browser walks the app on a fresh workspace: every page renders, quietly, and nothing leaves the machine."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from rec_core import jobs
from rec_core.store import Workspace

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PAGES = {"": "Recommendation as a language"} | {
    name.lower(): name for name in ("Data", "Train", "Runs", "Embeddings", "Rerank", "Recommend", "Bias")
}
PATIENCE = 120  # seconds: on a machine that others keep busy everything takes ten times as long
HERE = ("http://localhost", "ws://localhost", "data:", "blob:", "about:")

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return Workspace(tmp_path_factory.mktemp("walk"))


@pytest.fixture(scope="module")
def address(workspace):
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    words = ["-m", "streamlit", "run", "app.py", "--server.headless", "true", "--server.port", str(port)]
    environment = {**os.environ, "ROSETTA_WORKSPACE": str(workspace.root), "OMP_NUM_THREADS": "1"}
    with (workspace.root / "server.txt").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, *words], cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        _wait_for(f"http://localhost:{port}/_stcore/health")
        yield f"http://localhost:{port}"
    finally:
        for job in jobs.active(workspace):
            jobs.cancel(workspace, job.name)
        server.terminate()
        server.wait(PATIENCE)


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("needs chromium")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield opened
        opened.close()


@pytest.fixture
def page(browser):
    """A page that keeps what it complained about and whom it asked."""
    opened = browser.new_page(viewport={"width": 1400, "height": 1000})
    opened.set_default_timeout(PATIENCE * 1000)
    opened.complaints, opened.strangers = [], []
    opened.on("console", lambda message: _note(opened.complaints, message))
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.on("request", lambda r: None if r.url.startswith(HERE) else opened.strangers.append(r.url))
    yield opened
    opened.close()


def _note(complaints: list[str], message) -> None:
    # below a page's path Streamlit first asks for its own endpoints there, is refused and asks at the root
    if message.type == "error" and "/_stcore/" not in (message.location or {}).get("url", ""):
        complaints.append(message.text)


def test_a_link_opens_its_page_on_a_server_that_has_just_started(address, page):
    page.goto(f"{address}/data")
    page.get_by_test_id("stSidebar").get_by_role("link", name="Bias").wait_for()
    page.get_by_role("heading", name="Data", exact=True).wait_for()
    assert page.url.endswith("/data")


def test_home_builds_the_sample_in_a_worker_that_can_be_cancelled(address, page, workspace):
    page.goto(address)
    page.get_by_text("Sample dataset and run").wait_for()
    assert jobs.state(workspace, "sample-build") in ("running", "queued")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Resume").wait_for()
    assert jobs.state(workspace, "sample-build") == "cancelled"


@pytest.mark.parametrize("path", PAGES)
def test_page_renders(address, page, path):
    page.goto(f"{address}/{path}")
    page.get_by_role("heading", name=PAGES[path], exact=True).wait_for()
    _quiet(page)
    assert page.get_by_test_id("stException").count() == 0
    assert page.complaints == []
    assert page.strangers == []


def _quiet(page) -> None:
    page.get_by_test_id("stApp").wait_for()
    page.wait_for_function(
        "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState !== 'running'"
    )
    page.wait_for_timeout(500)


def _wait_for(url: str, seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError), urlopen(url) as answer:
            if answer.status == 200:
                return
        time.sleep(0.2)
    raise TimeoutError(f"{url} does not answer")
