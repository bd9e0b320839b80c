"""Two processes: what one does by itself, what both do, and what ends both."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rec_core.processes import by_main, ending_together, main_first
from rec_core.store import content_hash, read_json

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each of two processes saw in `shared_processes.py`."""
    folder = tmp_path_factory.mktemp("processes")
    launcher = ["-m", "torch.distributed.run", "--nproc_per_node", "2", "--standalone"]
    done = subprocess.run(
        [sys.executable, *launcher, "tests/shared_processes.py", str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stderr[-3000:]
    return [read_json(folder / f"process-{rank}.json") for rank in (0, 1)]


def of_both(seen: list[dict[str, Any]], name: str) -> list[Any]:
    return [process[name] for process in seen]


@pytest.mark.slow
def test_the_main_process_works_by_itself_once_all_have_come(seen):
    assert of_both(seen, "shared") == [0, 0]
    assert of_both(seen, "by_main") == [[1, 0, True]] * 2
    assert of_both(seen, "after") == [[2, 0], [2, 1]]


@pytest.mark.slow
def test_what_the_main_process_raises_is_raised_by_all(seen):
    known = [["InputError", "wrong"], ["Cancelled", "enough"]]
    assert seen[0]["raised"] == [*known, ["KeyError", "'x'"]]
    assert seen[1]["raised"] == [*known, ["RuntimeError", "Process 0 ended with KeyError: 'x'"]]


@pytest.mark.slow
def test_the_others_find_what_the_main_process_left(seen):
    assert of_both(seen, "main_first") == [["written by the main one: True", 1]] * 2


@pytest.mark.slow
def test_a_new_folder_has_its_name_once_every_process_has_filled_it(seen):
    assert of_both(seen, "together") == [["0", "1"]] * 2
    assert of_both(seen, "cached") == [["0", "1", "key.json"]] * 2
    assert of_both(seen, "beside") == [[content_hash("key")]] * 2
    assert of_both(seen, "built") == [1, 1] and of_both(seen, "written") == [["key.json"], []]


@pytest.mark.slow
def test_all_build_what_the_main_process_does_not_find(seen):
    """Also where somebody else has put it there before the second process looked."""
    assert of_both(seen, "built_at_the_same_moment") == [1, 1]


@pytest.mark.slow
def test_what_ends_one_process_is_the_reason_that_all_end_for(seen):
    assert seen[1]["ended"] == ["ValueError", "no room"]
    assert seen[0]["ended"] == ["RuntimeError", "Process 1 ended with ValueError: no room"]
    assert seen[0]["seconds"] < 10


def test_a_single_process_only_does_the_work():
    assert by_main(lambda: 1) == 1 and main_first(lambda: 2) == 2
    with pytest.raises(KeyError, match="x"), ending_together():
        raise KeyError("x")
