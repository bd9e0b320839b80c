"""Studies of reading systems: which runs they ask for, which arms they read, what stands beside the paper."""

from importlib import import_module

import numpy as np
import pandas as pd
import pytest

from rec_core.store import Workspace, write_table
from rec_core.studies import STUDIES, rallrec_paper, reading_runs
from rec_core.studies.rallrec_paper import TABLE_1, TABLE_3, TABLE_4, printed
from rec_core.types import InputError

N = 60


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """The runs and arms a study asks for; answers are drawn, the test rows are the even ones."""
    space, runs, arms = Workspace(tmp_path), [], []

    def ensure_run(system, data, preset, overrides, seed, progress, *, workspace):
        runs.append((system, preset, dict(overrides), seed))
        name = f"run-{len(runs)}"
        if system == "ctr_baselines":
            table = drawn(len(runs), overrides["model"], np.arange(2 * N))
            write_table(space.run_path(name) / "predictions.parquet", table)
        return {"run": name}

    def score_arms_of(run, names, progress, *, workspace):
        arms.append((runs[int(run.split("-")[1]) - 1][0], *names))
        return drawn(len(arms), names[0], 2 * np.arange(N))

    def drawn(seed, arm, rows):
        rng = np.random.default_rng(seed)
        labels = rows // 2 % 2
        return pd.DataFrame(
            {"row": rows, "user_num": rows % 7, "label": labels, f"p_{arm}": rng.uniform(0.1, 0.9, len(rows))}
        )

    monkeypatch.setattr(reading_runs, "ensure_run", ensure_run)
    monkeypatch.setattr(reading_runs, "score_arms_of", score_arms_of)
    return space, runs, arms


def study(name, asked, **given):
    found = import_module(STUDIES[name].module).run("ml-1m", "tiny", workspace=asked[0], **given)
    assert found["study"] == name and found["data"] == "ml-1m"
    return found["rows"]


def test_table_1_trains_every_method_its_own_way_and_nets_on_as_many_samples(asked):
    rows = study("rallrec.table1", asked, backbone="folder/model", seeds=2, settings={"n_test": 50})
    _, runs, arms = asked
    model = {"compare_arms": False, "backbone.name": "folder/model", "n_test": 50}
    readers = [run for run in runs if run[0] != "ctr_baselines"]
    for system, more in (("rallrec", {}), ("zero_shot", {}), ("rella", {}), ("hybrid_score", {}),
                         ("rallrec", reading_runs.RECENT)):  # fmt: skip
        assert [run for run in readers if run[0] == system and run[2] == {**model, **more}] == [
            (system, "tiny", {**model, **more}, seed) for seed in (0, 1)
        ]
    nets = [run[2] for run in runs if run[0] == "ctr_baselines" and run[3] == 0]
    assert [net["n_shots"] for net in nets] == [2048] * 4 + [0]
    assert ("rallrec", "recent") in arms and ("hybrid_score", "hybrid_score") in arms
    papers = {row["label"]: row["paper"] for row in rows if row["metric"] == "auc" and row["paper"]}
    assert papers["RALLRec"] == 0.7772 and papers["DeepFM, 2,048 samples"] == 0.7184
    assert {row["n_rows"] for row in rows} == {N}
    differences = {row["label"] for row in rows if " - " in row["label"]}
    along = {"ReLLa - recent K, tuned", "recent K, tuned - zero-shot"}
    assert len(differences) == 11 and along <= differences
    assert all(label.startswith("RALLRec - ") for label in differences - along)


def test_a_field_is_replaced_where_a_system_has_it_and_refused_where_none_has(asked):
    study("rallrec.table1", asked, settings={"tuning.n_shots": 100, "reranker.top_k": 7, "n_test": 50})
    given = {run[0]: run[2] for run in asked[1] if run[0] != "ctr_baselines"}
    own = {"compare_arms": False, "n_test": 50}
    assert given["zero_shot"] == own
    assert given["rella"] == given["hybrid_score"] == own | {"tuning.n_shots": 100}
    assert given["rallrec"].items() >= (own | {"tuning.n_shots": 100, "reranker.top_k": 7}).items()
    with pytest.raises(InputError, match=r"No reading system has a field 'tuning\.shots'"):
        study("rallrec.table1", asked, settings={"tuning.shots": 100})


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("rallrec.table3", {("rallrec", "rallrec"), ("rallrec", "recent"), ("rallrec", "untuned")}),
        (
            "rallrec.table4",
            {
                ("rallrec", arm)
                for arm in ("text_by_similarity", "id_retrieval", "concatenation", "aligned_concatenation")
            },
        ),
        (
            "rallrec.figure3",
            {(s, f"k={k}") for s in ("rallrec", "rella", "zero_shot") for k in (5, 10, 15, 20, 25, 30)},
        ),
        (
            "rallrec.figure4",
            {("rallrec", a) for a in ("recent", "retrieve_then_mix", "aligned_concatenation", "rallrec")},
        ),
    ],
)
def test_the_other_studies_read_the_arms_of_the_paper(asked, name, wanted):
    rows = study(name, asked)
    assert set(asked[2]) == wanted and rows
    augmentations = {run[2].get("tuning.augmentation", "paper") for run in asked[1]}
    expected = {"rallrec.table3": {"paper", "none", "recent"}, "rallrec.figure4": {"paper", "recent"}}
    assert augmentations == expected.get(name, {"paper"})


def test_printed_figures_stand_by_dataset_and_by_the_kind_of_their_log_loss():
    assert printed(TABLE_1, "amazon-movies", "ReLLa")["auc"] == 0.8401
    assert printed(TABLE_1, "sample", "ReLLa") == printed(TABLE_1, "ml-1m", "nobody") == {}
    assert printed(TABLE_1, "ml-1m", "DCN", double_softmax=False)["log_loss"] == 0.6164
    assert printed(TABLE_3, "ml-1m", "RALLRec") == printed(TABLE_1, "ml-1m", "RALLRec")
    for table in (TABLE_1, TABLE_3, TABLE_4):
        assert set(table) == {"bookcrossing", "ml-1m", "amazon"}
        assert len({tuple(rows) for rows in table.values()}) == 1
    assert rallrec_paper.PUBLISHED_LOSS in printed(TABLE_4, "bookcrossing", "text")
