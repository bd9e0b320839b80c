"""A run folder that a kill left without its facts must not take the list of runs with it."""

import pytest

from rec_core.config import Config
from rec_core.store import Workspace
from rec_core.types import InputError
from rec_core.workbench import resume, runs, sample_run, show_run


def test_a_folder_without_facts_is_no_run(tmp_path):
    space = Workspace(tmp_path)
    (space.run_path("half") / "checkpoints").mkdir(parents=True)
    Config().save(space.run_path("half") / "config.yaml")
    assert runs(workspace=space).empty and sample_run(workspace=space) is None
    for verb in (show_run, resume):
        with pytest.raises(InputError, match="There is no run 'half'"):
            verb("half", workspace=space)


def test_an_empty_workspace_has_no_runs_but_all_columns(tmp_path):
    table = runs(workspace=Workspace(tmp_path))
    assert table.empty and {"run", "state", "metric", "value"} <= set(table.columns)
