"""The workspace: atomic writes, content-hashed folders, names that cannot leave it."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rec_core.store import (
    Workspace,
    check_name,
    content_hash,
    new_folder,
    read_json,
    read_tensors,
    write_bytes,
    write_json,
    write_table,
    write_tensors,
)
from rec_core.types import InputError


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "../x", "a..b", ".hidden", "-x", "a b", "a\n", "x" * 101, "é"]
)
def test_names_that_could_leave_the_workspace_are_refused(name, tmp_path):
    with pytest.raises(InputError, match="cannot be the name"):
        check_name(name, "run")
    for path in (Workspace(tmp_path).run_path, Workspace(tmp_path).dataset_path):
        with pytest.raises(InputError):
            path(name)


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,50}(\.[a-z]+)?", fullmatch=True))
def test_plain_names_stay_below_their_folder(name):
    root = Path("/somewhere")
    assert Workspace(root).run_path(name).resolve().parent == root / "runs"


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    file = tmp_path / "deep" / "a.json"
    write_json(file, {"a": 1})

    def broken(*_args):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(OSError, match="disk full"):
        write_json(file, {"a": 2})
    assert read_json(file) == {"a": 1} and [p.name for p in file.parent.iterdir()] == ["a.json"]


def test_what_is_written_comes_back(tmp_path):
    write_bytes(tmp_path / "b", b"\x00\xff")
    assert (tmp_path / "b").read_bytes() == b"\x00\xff"
    write_json(
        tmp_path / "j", {"n": np.int64(3), "x": np.float32(0.5), "a": np.arange(2), "p": Path("p"), "é": None}
    )
    assert read_json(tmp_path / "j") == {"n": 3, "x": 0.5, "a": [0, 1], "p": "p", "é": None}
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "nan", {"x": float("nan")})
    tensors = {"t": np.arange(6, dtype=np.float32).reshape(2, 3).T, "m": np.array([1, 0], dtype=np.uint8)}
    write_tensors(tmp_path / "t", tensors)
    back = read_tensors(tmp_path / "t")
    assert back.keys() == tensors.keys() and all(np.array_equal(back[name], tensors[name]) for name in back)
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    write_table(tmp_path / "f.parquet", frame)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "f.parquet"), frame)


def test_an_artefact_is_built_once_per_key(tmp_path):
    space, calls = Workspace(tmp_path), []

    def build(folder: Path) -> None:
        calls.append(folder)
        (folder / "x").write_text("made")

    first = space.cached("things", {"a": 1, "b": [2]}, build)
    assert space.cached("things", {"b": [2], "a": 1}, build) == first and len(calls) == 1
    assert space.cached("things", {"a": 2}, build) != first and len(calls) == 2
    assert (first / "x").read_text() == "made" and read_json(first / "key.json") == {"a": 1, "b": [2]}


def test_a_failed_build_leaves_nothing(tmp_path):
    def build(folder: Path) -> None:
        (folder / "half").touch()
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        Workspace(tmp_path).cached("things", 1, build)
    assert not any(path.is_file() for path in tmp_path.rglob("*"))
    assert list((tmp_path / "cache" / "things").iterdir()) == []


def test_the_first_of_two_builders_wins(tmp_path):
    with new_folder(tmp_path / "a") as late:
        (late / "x").write_text("late")
        with new_folder(tmp_path / "a") as early:
            (early / "x").write_text("early")
    assert (tmp_path / "a" / "x").read_text() == "early" and [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_read_only_workspace_refuses_writes(tmp_path, monkeypatch):
    monkeypatch.setenv("ROSETTA_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("ROSETTA_READONLY", "1")
    space = Workspace.from_environment()
    assert space.root == tmp_path.resolve()
    with pytest.raises(InputError, match="read-only"):
        space.cached("things", 1, lambda folder: None)
    monkeypatch.delenv("ROSETTA_READONLY")
    Workspace.from_environment().check_writable()


def test_half_written_folders_are_not_listed(tmp_path):
    space = Workspace(tmp_path)
    assert space.names("runs") == []
    for name in ("b", "a", ".new-x"):
        (tmp_path / "runs" / name).mkdir(parents=True)
    (tmp_path / "runs" / "file").touch()
    assert space.names("runs") == ["a", "b"]


def test_a_hash_tells_values_types_and_order_apart():
    same = content_hash({"a": 1, "b": 2}, np.arange(3))
    assert same == content_hash({"b": 2, "a": 1}, np.arange(3)) and len(same) == 16
    others = [
        content_hash({"a": 1, "b": 3}, np.arange(3)),
        content_hash({"a": 1, "b": 2}, np.arange(3, dtype=np.float64)),
        content_hash({"a": 1, "b": 2}, np.arange(3)[::-1]),
        content_hash(np.arange(3), {"a": 1, "b": 2}),
        content_hash(["ab", "c"]),
        content_hash(["a", "bc"]),
        content_hash(np.arange(6).reshape(2, 3)),
        content_hash(np.arange(6).reshape(3, 2)),
        content_hash(b"1"),
        content_hash("1"),
    ]
    assert len({same, *others}) == 11
    strided = np.arange(6).reshape(2, 3).T
    assert content_hash(strided) == content_hash(np.ascontiguousarray(strided))
    assert content_hash(np.array(["a", "b"], dtype=object)) == content_hash(
        np.array(["a", "b"], dtype=object)
    )
    assert json.loads(json.dumps(same)) == same
