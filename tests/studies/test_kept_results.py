"""Results of studies stay in the workspace, one per setting, the newest first."""

import os

import pytest

from rec_core.store import Workspace
from rec_core.studies.kept_results import keep_result, kept_results
from rec_core.types import InputError


def result(value: float, data: str = "ml-1m") -> dict:
    return {"study": "a.study", "data": data, "rows": [{"label": "x", "value": value}]}


def test_the_newest_comes_first_and_the_same_settings_replace(tmp_path):
    space = Workspace(tmp_path)
    keep_result(result(1.0), {"preset": "tiny"}, space)
    keep_result(result(2.0), {"preset": "small"}, space)
    keep_result(result(9.0, "ml-1m-of-mine"), {"preset": "tiny"}, space)
    for file in (tmp_path / "studies").iterdir():
        os.utime(file, (1, 1))
    keep_result(result(3.0), {"preset": "tiny"}, space)
    found = kept_results("a.study", "ml-1m", space)
    assert [(r["rows"][0]["value"], r["settings"]["preset"]) for r in found] == [
        (3.0, "tiny"),
        (2.0, "small"),
    ]
    assert (
        kept_results("a.study", "nothing", space)
        == kept_results("b", "ml-1m", Workspace(tmp_path / "x"))
        == []
    )


def test_a_read_only_workspace_keeps_nothing(tmp_path):
    with pytest.raises(InputError, match="read-only"):
        keep_result(result(1.0), {}, Workspace(tmp_path, read_only=True))
