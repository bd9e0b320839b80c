"""Every page: on an empty workspace, with runs of both kinds, and without torch."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages.seen import of_run, texts

PAGES = ("home", "data", "train", "runs", "embeddings", "rerank", "recommend", "bias")


@pytest.mark.parametrize("name", PAGES)
def test_page_says_something_on_an_empty_workspace(open_page, name):
    app = open_page(name)
    assert not app.exception
    assert len(app.header) == 1
    assert len(texts(app)) > 80


@pytest.mark.parametrize("name", PAGES)
def test_page_renders_with_a_run(open_page, answers, name, run):
    app = open_page(name)
    assert not app.exception
    assert not app.error
    assert app.sidebar.selectbox(key="run").value == run


@pytest.mark.parametrize("name", PAGES)
def test_page_renders_with_a_run_of_ids_alone(open_page, id_answers, id_run, name):
    app = open_page(name)
    app.sidebar.selectbox(key="run").set_value(id_run).run()
    if name != "home":
        app.switch_page(f"pages/{name}.py").run()
    assert not app.exception and not app.error
    assert len(texts(app)) > 80


def test_a_page_says_what_a_run_cannot_do_and_offers_those_that_can(open_page, id_answers, run, id_run):
    app = of_run(open_page("rerank"), "rerank", id_run)
    (sentence,) = [info.value for info in app.info]
    assert "graph_cf" in sentence and "rallrec" in sentence and run in sentence
    assert not app.slider
    app.button(key=f"open-{run}").click().run()
    assert app.sidebar.selectbox(key="run").value == run
    assert app.slider(key="alpha")


def test_pages_of_a_run_wait_until_it_is_done(open_page, dataset, make_run):
    make_run("waiting", 0.5, state="cancelled")
    assert "This run is cancelled" in texts(open_page("rerank"))


def test_pages_import_no_torch_and_hold_no_caches_of_their_own():
    root = Path(__file__).resolve().parents[2]
    for file in [root / "app.py", *(root / "pages").rglob("*.py")]:
        text = file.read_text()
        assert "import torch" not in text, file
        assert "unsafe_allow_html" not in text, file
        assert "st.cache_" not in text or file.name == "cached.py", file
        assert len(text.splitlines()) <= 150 or file.parent.name == "shared", file


def test_first_page_opens_without_torch(tmp_path):
    code = (
        "import sys; from streamlit.testing.v1 import AppTest; app = AppTest.from_file('app.py').run(timeout=120); "
        "assert not app.exception; sys.exit('torch' in sys.modules)"
    )
    environment = {**os.environ, "ROSETTA_WORKSPACE": str(tmp_path), "ROSETTA_READONLY": "1"}
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", code], cwd=root, env=environment, check=True, timeout=300)
