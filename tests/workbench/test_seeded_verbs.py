"""Studies take a finished run for theirs only when it was made as they would make it today."""

import pytest
import yaml

from rec_core.data.storage import save_dataset
from rec_core.store import Workspace
from rec_core.workbench.run_verbs import new_run
from rec_core.workbench.seeded_verbs import _existing, ensure_run


@pytest.fixture
def space(planted, tmp_path) -> Workspace:
    space = Workspace(tmp_path)
    save_dataset(planted, space.dataset_path("planted"))
    return space


def ask(space: Workspace, **asked) -> str:
    settings = {"preset": "tiny", "overrides": {"reg": 5.0}, "seed": 0} | asked
    return ensure_run("ease", "planted", **settings, workspace=space)["run"]


def test_a_run_with_the_same_settings_is_used_again(space):
    first = ask(space)
    assert ask(space) == first and space.names("runs") == [first]
    assert ask(space, preset="small") == first  # EASE has no preset values of its own
    others = {ask(space, seed=1), ask(space, overrides={"reg": 6.0})}
    assert len({first, *others}) == 3


def test_a_run_made_under_another_default_is_not(space):
    first = ask(space, overrides={})
    config = space.run_path(first) / "config.yaml"
    values = yaml.safe_load(config.read_text())
    config.write_text(yaml.safe_dump(values | {"reg": 2 * values["reg"]}))
    assert ask(space, overrides={}) != first


def test_a_run_that_compared_more_ways_serves_and_one_that_compared_fewer_does_not(space):
    from rec_core.workbench.run_verbs import config_of

    def found(compare_arms: bool) -> str | None:
        settings = {"compare_arms": compare_arms}
        return _existing(space, {"system": "rallrec"}, config_of("rallrec", "tiny", settings, "planted"))

    few = new_run("rallrec", "planted", "tiny", {"compare_arms": False}, workspace=space)
    assert found(False) == few and found(True) is None
    every = new_run("rallrec", "planted", "tiny", {}, workspace=space)
    assert found(True) == every and found(False) in (few, every)
