"""The pages on a temporary workspace: no worker is started, and the model's answers are written down here."""

import json
import time
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
import yaml
from streamlit.testing.v1 import AppTest

from pages.shared import cached
from rec_core import jobs
from rec_core.types import VIEWS, InputError
from rec_core.workbench import config_of, import_table
from tests.pages.warm import keep_navigation

APP = str(Path(__file__).resolve().parents[2] / "app.py")
TITLES = {f"i{n}": f"Film {n}" for n in range(12)}


class Started(list):
    """What the pages asked the jobs to start, cancel or queue: (verb, name, argv)."""

    def fake(self, verb):
        def call(_workspace, name, argv=None, *_):
            self.append((verb, name, argv))
            return 0

        return call


@pytest.fixture(autouse=True)
def _warm_server(monkeypatch):
    keep_navigation(monkeypatch)


@pytest.fixture
def started(monkeypatch):
    calls = Started()
    for verb in ("start", "start_command", "enqueue", "enqueue_command"):
        monkeypatch.setattr(jobs, verb, calls.fake(verb))
    return calls


@pytest.fixture
def workspace(tmp_path, monkeypatch, started):
    root = tmp_path / "workspace"
    monkeypatch.setenv("ROSETTA_WORKSPACE", str(root))
    monkeypatch.delenv("ROSETTA_READONLY", raising=False)
    st.cache_data.clear()
    return root


@pytest.fixture
def open_page(workspace):
    """Open the app and go to a page."""

    def open_(name: str) -> AppTest:
        app = AppTest.from_file(APP, default_timeout=120).run()
        return app if name == "home" else app.switch_page(f"pages/{name}.py").run()

    return open_


@pytest.fixture
def dataset(workspace, tmp_path):
    log, items = tmp_path / "log.csv", tmp_path / "items.csv"
    rows = [
        (f"u{u}", f"i{(u + n) % 12}", 1 + (u * n) % 5, 1000 + 10 * n + u) for u in range(20) for n in range(9)
    ]
    pd.DataFrame(rows, columns=["user_id", "item_id", "rating", "timestamp"]).to_csv(log, index=False)
    pd.DataFrame({"item_id": list(TITLES), "title": list(TITLES.values())}).to_csv(items, index=False)
    import_table(log, "mine", items)
    return "mine"


@pytest.fixture
def run(make_run, dataset):
    return make_run("rallrec-mine-tiny-s0-abcdef", 0.7)


@pytest.fixture
def make_run(workspace):
    """Write the folder of a run."""

    def make(name: str, auc: float, state: str = "done", system: str = "rallrec", **config) -> str:
        _write_run(workspace, name, auc, state, system, config)
        return name

    return make


@pytest.fixture
def id_run(make_run, dataset):
    """The folder of a finished run of a system that knows ids alone."""
    return make_run("graph_cf-mine-tiny-s0-abcdef", 0.2, system="graph_cf")


def _write_run(workspace: Path, name: str, auc: float, state: str, system: str, config: dict) -> None:
    folder = workspace / "runs" / name
    folder.mkdir(parents=True)
    facts = {
        "system": system,
        "dataset": "mine",
        "dataset_hash": "x",
        "preset": "tiny",
        "overrides": config,
    }
    facts |= {"seed": 0, "created": time.time(), "title": "", "notes": ""}
    (folder / "run.json").write_text(json.dumps(facts))
    (folder / "env.json").write_text("{}")
    values = config_of(system, "tiny", config).model_dump(mode="json")
    (folder / "config.yaml").write_text(yaml.safe_dump(values))
    status = {"state": state, "seconds": 9.0, "finished": 5.0, "stage": "tuning", "error": ""}
    (folder / "status.json").write_text(
        json.dumps(status | ({"error": "It broke."} if state == "failed" else {}))
    )
    found = {"auc": {"value": auc, "low": auc - 0.1, "high": auc + 0.1, "n": 50}}
    arms = {"arms": {"rallrec": found, "recent": found}, "main_arm": "rallrec"}
    (folder / "metrics.json").write_text(json.dumps(arms if system == "rallrec" else _ranked(found["auc"])))
    event = {"time": 1.0, "stage": "tuning", "step": 1, "total": 2, "message": "", "metrics": {"loss": 0.5}}
    (folder / "events.jsonl").write_text(json.dumps(event) + "\n")


def _ranked(interval: dict) -> dict:
    names = [f"{name}@{k}" for name in ("recall", "ndcg") for k in (5, 10)]
    return {
        "metrics": dict.fromkeys(names, interval),
        "validation": {"metric": "ndcg@10", "value": 0.3},
        "beyond": {"users": {"novelty": interval}, "catalogue": {"coverage": 0.5}},
        "protocol": "leave_one_out split",
        "n_test_users": 50,
    }


@pytest.fixture
def answers(monkeypatch, run):
    """A trained system's answers, without one."""
    monkeypatch.setattr(cached, "users", lambda root, run: ["u1", "u2"])
    monkeypatch.setattr(cached, "history", _history)
    monkeypatch.setattr(cached, "evidence", _evidence)
    monkeypatch.setattr(cached, "surface", _surface)
    monkeypatch.setattr(cached, "recommendations", _recommendations)
    monkeypatch.setattr(cached, "explanation", _explanation)
    monkeypatch.setattr(cached, "agreement", _agreement)
    monkeypatch.setattr(cached, "views", lambda root, run: list(VIEWS))
    monkeypatch.setattr(cached, "has_map", lambda root, run, view, method: method == "umap")
    monkeypatch.setattr(cached, "item_map", _item_map)
    monkeypatch.setattr(cached, "neighbours", _neighbours)


def _history(root, run, user):
    rows = [(n, f"i{n}", f"Film {n}", 4.0, 1000 + n) for n in range(4)]
    return pd.DataFrame(rows, columns=["position", "item_id", "title", "rating", "timestamp"])


def _evidence(root, run, user, item, alpha, beta, top_k, order):
    def row(position, **more):
        return {
            "position": position,
            "item_id": f"i{position}",
            "title": f"Film {position}",
            "rating": 4.0,
            **more,
        }

    near = [row(p, similarity=0.5, rank=r) for r, p in enumerate((0, 1), start=1)]
    late = [row(p, similarity=0.1, rank=r) for r, p in enumerate((2, 1), start=1)]
    merged = [
        row(0, rank=1, similarity=0.5, channel="semantic", channel_rank=1, score=alpha, tied=alpha == 0.5),
        row(2, rank=2, similarity=0.1, channel="recency", channel_rank=1, score=1 - alpha, tied=alpha == 0.5),
    ]
    note = "beta changes nothing" if alpha == 0.5 else ""
    found = {"semantic": near, "recency": late, "evidence": merged, "note": note}
    return found | {"prompt": f"Would {user} like {item}?", "p_yes": 0.25}


def _surface(root, run):
    rows = [(a, b, a + b, 1.0, a, 0.5) for a in (0.0, 0.5, 1.0) for b in (0.5, 1.0)]
    columns = ["alpha", "beta", "text_cosine", "age", "semantic_share", "label_agreement"]
    return pd.DataFrame(rows, columns=columns)


def _piece(n: int) -> dict:
    cosines = {"id": 0.1, "text": 0.2, "aligned": 0.3}
    piece = {"item_id": f"i{n}", "title": f"Film {n}", "rating": 4.0, "position": n, "channel": "semantic"}
    return piece | {"rank": 1, "score": 0.6, "similarities": cosines}


def _recommendations(root, run, user, composed, top_k):
    if not user and len(composed) > 2:
        raise InputError("Three are too many; remove one.")
    items = [(1, "i8", "*Film* <b>8</b>", 0.9), (2, "i9", "Film 9", 0.8)]
    return {
        "scale": "probability",
        "items": [
            {"rank": r, "item_id": i, "title": t, "score": s, "parts": {}, "evidence": [_piece(0)]}
            for r, i, t, s in items
        ],
    }


def _explanation(root, run, user, composed, item):
    removals = [{"item_id": "i0", "title": "Film 0", "position": 0, "score_without": 0.5, "change": -0.4}]
    parts = {"yes_logit": 1.0, "no_logit": 0.5}
    found = {
        "sentence": f"Because of Film 0: {item}.",
        "removals": removals,
        "parts": parts,
        "evidence": [_piece(0)],
        "scale": "probability",
        "note": "",
    }
    return found | {"prompt": "A prompt", "tokens": {"history": 12}}


@pytest.fixture
def id_answers(monkeypatch, answers):
    """What a system with one view and no prompt answers."""

    def recommendations(*asked):
        return {**_recommendations(*asked), "scale": "order"}

    def explanation(*asked):
        more = {"scale": "order", "note": "From the history alone.", "prompt": "", "tokens": {}}
        return {**_explanation(*asked), "parts": {"score": 4.5}, **more}

    def agreement(*_):
        return {"items": 12, "pairs": [], "partner": None, "uniformity": {"id": -1.0}}

    def item_map(*asked):
        return _item_map(*asked).drop(columns="residual")

    fakes = {"recommendations": recommendations, "explanation": explanation, "agreement": agreement}
    for name, fake in {**fakes, "item_map": item_map, "views": lambda *_: ["id"]}.items():
        monkeypatch.setattr(cached, name, fake)


def _agreement(root, run):
    pairs = [
        {"a": a, "b": b, "cka": 0.4, "knn_overlap": 0.3}
        for a, b in zip(VIEWS, VIEWS[1:] + VIEWS[:1], strict=True)
    ]
    pairs.append({"a": "id", "b": "aligned", "cka": 0.5, "knn_overlap": 0.25})
    partner = {"mean_rank": 3.0, "chance_rank": 6.5, "modality_gap": 0.5}
    return {"items": 12, "pairs": pairs, "partner": partner, "uniformity": dict.fromkeys(VIEWS, -1.0)}


def _item_map(root, run, view, method):
    rows = [
        (n, i, t, 2000, "Drama|War", n, float(n), float(-n), 0.9, 0.1)
        for n, (i, t) in enumerate(TITLES.items())
    ]
    names = ["item_num", "item_id", "title", "year", "genres", "popularity", "x", "y", "trust", "residual"]
    return pd.DataFrame(rows, columns=names)


def _neighbours(root, run, view, item, k):
    rows = [(r, r, f"i{r}", f"Film {r}", 0.5) for r in range(1, 4)]
    return pd.DataFrame(rows, columns=["rank", "item_num", "item_id", "title", "similarity"])
