"""What each verb is called with, and the one JSON document it prints; tables for people hold the same numbers."""

import sys

import numpy as np
import pandas as pd
import pytest

from rec_core.store import Workspace, write_json
from rec_core.studies import StudyCard
from rec_core.studies.kept_results import kept_results
from rec_core.types import InputError, ProgressEvent

AUC = {"value": 0.75, "low": 0.7, "high": float("nan"), "n": 40, "n_rows": 90}
EVIDENCE = {
    "item_id": "f2",
    "title": "Alien (1979)",
    "rating": 5.0,
    "channel": "semantic",
    "rank": 1,
    "score": 1.0,
}
ITEM = {
    "rank": 1,
    "item_id": "f1",
    "title": "Heat [1995]",
    "score": 0.5,
    "parts": {"yes": 1.0},
    "evidence": [EVIDENCE],
}
ROW = {
    "measure": "flips", "group": "all", "value": 0.25, "low": 0.2, "high": 0.3, "n": 40,
    "p_corrected": None, "verdict": "present",
}  # fmt: skip
LIST_ROW = {**EVIDENCE, "similarity": 0.9, "position": 3}


@pytest.fixture
def trained(verb, space):
    """Stub `new_run` and `resume`: a run of one step."""
    arms = {"rallrec": {"auc": AUC}, "recent": {"auc": {**AUC, "value": 0.5}}}
    result = {
        "run": "r1", "system": "rallrec", "dataset": "sample", "seconds": 1.5, "metrics": arms["rallrec"],
        "arms": arms, "differences": {"rallrec - recent": {"auc": {**AUC, "value": 0.25}}},
        "precision": "8bit asked for, fp32 used [no bitsandbytes]",
    }  # fmt: skip

    def new_run(*_, progress):
        progress(ProgressEvent("download", 1, 1))
        write_json(space / "runs" / "r1" / "status.json", {"state": "queued"})
        return "r1"

    def resume(_run, progress):
        progress(ProgressEvent("tuning", 1, 1, metrics={"loss": 0.125}))
        sys.stdout.write("a library talks\n")
        return result

    return verb("run_verbs", "new_run", new_run), verb("run_verbs", "resume", resume)


def test_train_passes_everything_on_and_prints_only_the_result(cli, trained):
    made, carried = trained
    answer = cli(
        "train", "rallrec", "--data", "sample", "--preset", "tiny", "--seed", "3", "--json",
        "--set", "tuning.training.epochs=2", "--set", "quirks=[shifted_neighbours]",
    )  # fmt: skip
    assert answer.code == 0
    overrides = {"tuning.training.epochs": 2, "quirks": ["shifted_neighbours"]}
    assert made == [(("rallrec", "sample", "tiny", overrides, 3), {})]
    assert carried == [(("r1",), {})]
    assert answer.document["metrics"] == {"auc": {**AUC, "high": None}}
    assert set(answer.document) >= {"run", "system", "dataset", "seconds", "metrics", "arms", "differences"}
    for part in ("download 1/1", "Run r1", "tuning 1/1 loss=0.125", "a library talks"):
        assert part in answer.err


def test_train_without_settings_leaves_the_preset_alone(cli, trained):
    assert cli("train", "rallrec", "--data", "sample").code == 0
    assert trained[0] == [(("rallrec", "sample", "small", None, 0), {})]


def test_train_and_resume_say_how_the_language_model_was_loaded(cli, trained):
    sentence = "Language model: 8bit asked for, fp32 used [no bitsandbytes]"
    assert sentence in cli("train", "rallrec", "--data", "sample").out
    assert sentence in cli("resume", "r1").out


def test_threads_of_train_are_those_of_the_language_model(cli, trained):
    assert cli("train", "rallrec", "--data", "sample", "--threads", "3").code == 0
    assert cli("train", "rallrec", "--data", "sample", "--threads", "3", "--set", "n_threads=3").code == 0
    assert [arguments[3] for arguments, _ in trained[0]] == [{"n_threads": 3}] * 2
    refused = cli("train", "rallrec", "--data", "sample", "--threads", "3", "--set", "n_threads=4")
    assert refused.code == 2 and "n_threads=4" in refused.sentence and len(trained[0]) == 2


def test_threads_of_train_reach_the_worker(cli, trained, monkeypatch):
    from rec_core import jobs

    given = []
    monkeypatch.setattr(jobs, "enqueue", lambda _space, run, threads: given.append((run, threads)) or 0)
    assert cli("train", "rallrec", "--data", "sample", "--threads", "3", "--background").code == 0
    assert trained[0][0][0][3] == {"n_threads": 3} and given == [("r1", 3)]


def test_resume_here_has_no_threads_to_set(cli, trained):
    refused = cli("resume", "r1", "--threads", "3")
    assert refused.code == 2 and "--background" in refused.sentence and trained[1] == []


def test_a_finished_run_is_reported_and_nothing_is_written(cli, trained, space, monkeypatch):
    monkeypatch.setenv("ROSETTA_READONLY", "1")
    write_json(space / "runs" / "r1" / "status.json", {"state": "done"})
    before = {path: path.stat().st_mtime_ns for path in space.rglob("*")}
    assert cli("resume", "r1", "--json").document["run"] == "r1"
    assert {path: path.stat().st_mtime_ns for path in space.rglob("*")} == before


def test_a_read_only_workspace_refuses_to_resume_and_stays_as_it_is(cli, trained, space, monkeypatch):
    monkeypatch.setenv("ROSETTA_READONLY", "1")
    write_json(space / "runs" / "r1" / "status.json", {"state": "cancelled"})
    before = {path: path.stat().st_mtime_ns for path in space.rglob("*")}
    answer = cli("resume", "r1")
    assert answer.code == 2 and "ROSETTA_READONLY" in answer.sentence and trained[1] == []
    assert {path: path.stat().st_mtime_ns for path in space.rglob("*")} == before


@pytest.mark.parametrize(
    ("name", "words", "drawn"),
    [
        ("describe", "data describe d", {"dataset": "d"}),
        ("split_preview", "data split d", {"dataset": "d", "kind": "global_time", "parts": {}, "leaks": []}),
    ],
)
def test_a_download_is_seen(cli, verb, name, words, drawn):
    def stub(_name, progress, **_):
        progress(ProgressEvent("download", 1, 2))
        return drawn

    verb("data_verbs", name, stub)
    assert cli(*words.split(), "--json").err == "download 1/2\n"


def test_train_draws_arms_with_intervals_users_and_rows(cli, trained):
    out = cli("train", "rallrec", "--data", "sample").out
    (rallrec,) = [line.split() for line in out.splitlines() if line.strip().startswith("rallrec  ")]
    assert rallrec == ["rallrec", "0.7500", "[0.7000,", "-]", "40", "90"]
    (difference,) = [line for line in out.splitlines() if "rallrec - recent" in line]
    assert "0.2500 [0.7000, -]" in difference


@pytest.mark.parametrize(
    ("room", "name", "words", "called", "result"),
    [
        ("run_verbs", "build_sample", "sample build", (), {"dataset": "sample", "runs": ["r1"]}),
        ("data_verbs", "describe", "data describe sample", ("sample",), {"dataset": "sample", "users": 3}),
        ("run_verbs", "show_run", "runs show r1", ("r1",), {"run": "r1", "state": "done", "metrics": {"arms": {}}}),
        (
            "compare_verbs", "compare", "runs compare r1 r2", ("r1", "r2"),
            {"rows": [{"metric": "auc", "a": 0.5, "b": 0.25, "difference": 0.25, "low": 0.0, "high": 1.0, "n": 9,
                       "p": 0.01, "p_corrected": 0.02}]},
        ),
        (
            "map_verbs", "embed", "embed r1", ("r1",),
            {"run": "r1", "views": {"id": {"items": 3, "known": 3, "dimensions": 2, "source": "x"}},
             "agreement": {"pairs": [{"a": "id", "b": "text", "cka": 0.5, "knn_overlap": 0.25}]}},
        ),
        (
            "explain_verbs", "explain", "explain r1 --user u --item f1", ("r1", "u", "f1"),
            {"run": "r1", "user": "u", **ITEM, "sentence": "Because.", "prompt": "?", "note": "From the history alone.",
             "removals": [{"item_id": "f2", "title": "Alien", "position": 0, "score_without": 0.25, "change": -0.25}]},
        ),
    ],
)  # fmt: skip
def test_a_verb_is_called_and_its_result_printed_unchanged(cli, verb, room, name, words, called, result):
    calls = verb(room, name, result)
    answer = cli(*words.split(), "--json")
    assert (answer.code, answer.document, answer.err) == (0, result, "")
    assert calls == [(called, {})]
    drawn = cli(*words.split())
    assert drawn.code == 0 and drawn.out and not drawn.out.startswith("{")


def test_recommend_takes_a_user_or_a_history(cli, verb):
    result = {"run": "r1", "user": None, "items": [ITEM]}
    calls = verb("recommend_verbs", "recommend", result)
    assert cli("recommend", "r1", "--user", "u", "--top-k", "3", "--json").document == result
    drawn = cli("recommend", "r1", "--history", "f:7:4.5", "--history", "f8:1").out
    assert calls == [
        (("r1",), {"user": "u", "history": None, "top_k": 3}),
        (("r1",), {"user": None, "history": [("f:7", 4.5), ("f8", 1.0)], "top_k": 10}),
    ]
    assert "Heat [1995]" in drawn and "Alien (1979)" in drawn  # a title in brackets is no markup


def test_rerank(cli, verb):
    result = {
        "run": "r1", "user": "u", "item": "f1", "title": "Heat", "alpha": 0.5, "beta": 2.0, "note": "beta is idle",
        "semantic": [LIST_ROW], "recency": [LIST_ROW],
        "evidence": [{**LIST_ROW, "channel_rank": 1, "tied": True}], "prompt": "?", "p_yes": 0.625,
    }  # fmt: skip
    calls = verb("rerank_verbs", "rerank", result)
    words = ("rerank", "r1", "--user", "u", "--item", "f1", "--alpha", "0.5", "--beta", "2")
    assert cli(*words, "--top-k", "4", "--order", "chronological", "--json").document == result
    assert calls == [(("r1", "u", "f1", 0.5, 2.0), {"top_k": 4, "order": "chronological"})]
    drawn = cli(*words).out
    assert "beta is idle" in drawn and "0.625" in drawn and "tied" in drawn


def test_project_prints_a_point_per_item(cli, verb):
    frame = pd.DataFrame(
        {"item_num": np.array([0, 1], dtype=np.int64), "item_id": ["f1", "f2"], "title": ["Heat", "Alien"]}
    ).assign(year=pd.array([1995, None], dtype="Int64"), x=np.float32(0.5), y=[1.0, np.nan], trust=1.0)
    calls = verb("map_verbs", "project", frame)
    asked = verb("map_verbs", "views", ["id", "text"])
    document = cli("project", "r1", "--view", "text", "--method", "pca", "--seed", "2", "--json").document
    assert calls == [(("r1", "text"), {"method": "pca", "seed": 2})]
    assert document["items"] == [
        {"item_num": 0, "item_id": "f1", "title": "Heat", "year": 1995, "x": 0.5, "y": 1.0, "trust": 1.0},
        {"item_num": 1, "item_id": "f2", "title": "Alien", "year": None, "x": 0.5, "y": None, "trust": 1.0},
    ]
    assert {key: document[key] for key in ("run", "view", "method", "seed", "n_items")} == {
        "run": "r1", "view": "text", "method": "pca", "seed": 2, "n_items": 2,
    }  # fmt: skip
    assert asked == []
    assert "Alien" in cli("project", "r1").out
    assert asked == [(("r1",), {})] and calls[-1] == (("r1", "text"), {"method": "umap", "seed": 0})


@pytest.mark.parametrize("probe", ["position", "popularity", "all"])
def test_audit(cli, verb, probe):
    result = {"run": "r1", "probe": probe, "rows": [ROW], "report": "/somewhere/rows"}
    calls = verb("audit_verbs", "audit", result)
    assert cli("audit", probe, "r1", "--users", "30", "--seed", "1", "--json").document == result
    assert calls == [(("r1", probe), {"n_users": 30, "seed": 1})]
    drawn = cli("audit", probe, "r1").out
    assert "present" in drawn and "/somewhere/rows" in drawn


def test_lists(cli, verb):
    told = {"run": ["r1", "r2"], "state": ["done", "queued"], "metric": ["auc", "ndcg@10"]}
    verb("run_verbs", "runs", pd.DataFrame({**told, "value": [0.5, np.nan]}))
    rows = [
        {"run": "r1", "state": "done", "metric": "auc", "value": 0.5},
        {"run": "r2", "state": "queued", "metric": "ndcg@10", "value": None},
    ]
    assert cli("runs", "list", "--json").document == {"runs": rows}
    drawn = cli("runs", "list").out
    assert "queued" in drawn and "ndcg@10" in drawn


def test_systems_are_listed_with_what_they_can_be_asked(cli):
    from rec_core.roster import SYSTEMS

    listed = cli("systems", "--json").document["systems"]
    assert [row["name"] for row in listed] == [card.name for card in SYSTEMS]
    assert [row["capabilities"] for row in listed] == [list(card.capabilities) for card in SYSTEMS]
    drawn = cli("systems").out
    assert all(card.name in drawn and card.headline in drawn for card in SYSTEMS)


def test_a_run_without_arms_is_drawn_a_row_per_metric(cli, verb, space):
    metrics = {
        "ndcg@10": {"value": 0.125, "low": 0.1, "high": 0.15, "n": 40},
        "recall@20": {**AUC, "high": 0.9},
    }
    more = {"protocol": "leave_one_out split [all]", "beyond": {"users": {"novelty": {**AUC, "value": 7.5}}}}
    write_json(space / "runs" / "r1" / "status.json", {"state": "queued"})
    told = {"run": "r1", "system": "ease", "dataset": "sample", "seconds": 1.0, "metrics": metrics, **more}
    verb("run_verbs", "resume", told)
    out = cli("resume", "r1").out
    rows = [line.split() for line in out.splitlines()]
    assert ["ndcg@10", "0.125", "0.1", "0.15", "40"] in rows and [
        "recall@20",
        "0.75",
        "0.7",
        "0.9",
        "40",
    ] in rows
    assert "Protocol: leave_one_out split [all]" in out
    config = {"loop": {"epochs": 3}, "cutoffs": [5, 10]}
    verb("run_verbs", "show_run", {"run": "r1", "config": config, "metrics": {"metrics": metrics, **more}})
    rows = [line.split() for line in cli("runs", "show", "r1").out.splitlines()]
    assert ["ndcg@10", "0.125", "0.1", "0.15", "40"] in rows and ["novelty", "7.5", "0.7", "-", "40"] in rows
    assert ["loop.epochs", "3"] in rows and ["cutoffs", "5,", "10"] in rows


def test_best_and_worst_users(cli, verb):
    record = {
        "user": "u1",
        "value": 0.5,
        "n_history": 3,
        "wanted": ["Heat"],
        "recommended": ["Alien", "Heat"],
    }
    more = {"history": ["Ran"], "hits": ["Heat"]}
    result = {"run": "r1", "metric": "ndcg@10", "metrics": ["ndcg@10"], "best": [record | more], "worst": []}
    calls = verb("user_verbs", "users_of_run", result)
    assert cli("runs", "users", "r1", "--metric", "ndcg@10", "--users", "2", "--json").document == result
    assert calls == [(("r1", "ndcg@10", 2), {})]
    assert "Alien, Heat" in cli("runs", "users", "r1").out


def test_split(cli, verb):
    part = {"rows": 2, "users": 2, "items": 1}
    preview = {"dataset": "d", "kind": "leave_one_out", "parts": {"train": part, "valid": part, "test": part},
               "leaks": [{"check": "parts disjoint", "ok": False, "detail": "one row"}]}  # fmt: skip
    calls = verb("data_verbs", "split_preview", preview)
    assert (
        cli("data", "split", "d", "--kind", "leave_one_out", "--min-history", "2", "--json").document
        == preview
    )
    assert calls == [(("d",), {"kind": "leave_one_out", "min_history": 2})]
    assert "one row" in cli("data", "split", "d").out


def test_filter_hands_on_what_was_said_and_leaves_the_rest_to_the_recipe(cli, verb):
    sizes = {"users": 2, "items": 1, "interactions": 3}
    facts = {"dataset": "part", "of": "d", "filter": "two rows each", "kept": sizes, "dropped": sizes}
    calls = verb("data_verbs", "filter_dataset", facts)
    words = ("data", "filter", "d", "--name", "part", "--recipe", "rallrec-amazon", "--item-limit", "9")
    assert cli(*words, "--json").document == facts
    nothing = dict.fromkeys(("user_limit", "top_items", "genre_depth"))
    more = {**nothing, "item_limit": 9, "recipe": "rallrec-amazon"}
    assert calls == [(("d", "part", None, None), more)]
    assert "part: two rows each" in cli(*words).out


def test_study_gets_only_what_it_takes_and_is_kept(cli, monkeypatch, tmp_path):
    from types import ModuleType

    row = {"label": "ours", "metric": "auc", "value": 0.5, "low": 0.25, "high": 0.75, "n": 9, "paper": None}
    calls = []

    def run(data, preset="tiny", seed=0, progress=None, *, workspace=None):
        calls.append((data, preset, seed))
        return {"study": "ours", "data": data, "rows": [row]}

    module = ModuleType("a_study")
    module.run = run
    monkeypatch.setitem(sys.modules, "a_study", module)
    card = StudyCard("ours", "Ours", "Is it so?", "None", "a_study")
    monkeypatch.setattr("rec_core.studies.STUDIES", {"ours": card})
    monkeypatch.setenv("ROSETTA_WORKSPACE", str(tmp_path))
    words = ("study", "ours", "--data", "sample")
    answer = {"study": "ours", "data": "sample", "rows": [row]}
    assert cli(*words, "--preset", "small", "--seed", "4", "--json").document == answer
    (kept,) = kept_results("ours", "sample", Workspace(tmp_path))
    assert kept["rows"] == [row] and kept["settings"] == {"preset": "small", "seed": 4}
    assert "ours" in cli(*words).out
    assert calls == [("sample", "small", 4), ("sample", "tiny", 0)]
    refused = cli(*words, "--backbone", "big")
    assert refused.code == 2 and "--backbone" in refused.sentence


def test_doctor_says_what_to_mend_and_fails_when_something_is_wrong(cli, verb):
    checks = [
        {"check": "disk", "ok": True, "detail": "9 GiB free", "mend": ""},
        {"check": "packages", "ok": False, "detail": "numpy is missing", "mend": "Run: pip install"},
    ]
    verb("doctor_verbs", "doctor", checks)
    assert cli("doctor", "--json").document == {"ok": False, "checks": checks}
    answer = cli("doctor")
    assert answer.code == 1 and "Run: pip install" in answer.out and answer.err == ""
    verb("doctor_verbs", "doctor", checks[:1])
    assert cli("doctor", "--json").code == 0


def test_a_refusal_prints_no_document(cli, verb):
    def refuse(*_, **__):
        raise InputError("There is no run 'r9'; train one.")

    verb("recommend_verbs", "recommend", refuse)
    answer = cli("recommend", "r9", "--user", "u", "--json")
    assert (answer.code, answer.sentence) == (2, "There is no run 'r9'; train one.")
