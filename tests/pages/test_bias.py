"""Bias: the probes a run can answer, started and shown."""

import json

import pandas as pd

from tests.pages.seen import of_run, texts


def test_bias_asks_what_the_run_can_answer(open_page, id_answers, run, id_run, started):
    app = of_run(open_page("bias"), "bias", id_run)
    assert [tab.label for tab in app.tabs] == ["Popularity"]
    assert any(info.value.startswith("Position: ") and run in info.value for info in app.info)
    app.button(key="run-popularity").click().run()
    assert started[-1][2][:3] == ["audit", "popularity", id_run]


def test_bias_starts_a_probe_and_shows_a_kept_one(open_page, answers, started, workspace, run):
    folder = workspace / "runs" / run / "audits" / "position-1"
    folder.mkdir(parents=True)
    (folder / "audit.json").write_text(json.dumps({"probe": "position", "n_users": 9, "seed": 0}))
    slots = [("slot_pick_rate", f"slot {s}", 0.5, 0.4, 0.6, 9, None, "") for s in (1, 2)]
    head = ("slot_range", "all slots", 0.2, 0.1, 0.3, 9, 0.01, "evidence of effect")
    names = ["measure", "group", "value", "low", "high", "n", "p_corrected", "verdict"]
    pd.DataFrame([head, *slots], columns=names).assign(probe="position").to_parquet(folder / "rows.parquet")
    app = open_page("bias")
    assert not app.exception
    assert "Best slot minus worst slot" in texts(app)
    assert "95 %: 0.1 to 0.3" in texts(app)
    app.number_input(key="users-position").set_value(50).run()
    app.button(key="run-position").click().run()
    argv = ["audit", "position", run, "--users", "50", "--json"]
    assert started[-1] == ("enqueue_command", f"audit-position-{run}", argv)
