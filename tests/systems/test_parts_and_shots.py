"""The like questions of a dataset in their parts, and the few that are tuned on."""

from types import SimpleNamespace

import numpy as np
import pytest

from rec_core.data.interactions import make_interactions
from rec_core.device import Choice
from rec_core.systems import rallrec_training
from rec_core.systems.like_questions import Parts
from rec_core.systems.rallrec import RALLRecConfig
from rec_core.types import Dataset, InputError, ignore_progress


def test_parts_lie_one_behind_the_other(planted):
    parts = Parts.of(planted, 5)
    assert len(parts.samples) == sum(
        max(0, int(n) - 5) for n in np.bincount(planted.interactions.user_nums, minlength=30)
    )
    rows = {part: parts.samples.rows[getattr(parts.split, part)] for part in ("train", "valid", "test")}
    assert rows["train"].max() < rows["valid"].min() <= rows["valid"].max() < rows["test"].min()
    assert parts.train_rows.tolist() == list(range(rows["valid"].min()))
    assert parts.valid_rows.tolist() == list(range(rows["valid"].min(), rows["test"].min()))
    assert len(rows["test"]) == pytest.approx(len(parts.samples) / 10, abs=2)


@pytest.mark.parametrize("n_rows", [0, 3, 7, 14])
def test_too_little_data_is_one_sentence(planted, n_rows):
    """Of one user's rows the first five ask nothing; nine questions cannot be cut into 80 / 10 / 10."""
    interactions = make_interactions(
        np.zeros(n_rows, int), np.arange(n_rows), np.full(n_rows, 4.0), np.arange(n_rows)
    )
    few = Dataset(**{**planted.__dict__, "interactions": interactions})
    with pytest.raises(InputError, match="at least 10") as caught:
        Parts.of(few, 5)
    assert "\n" not in str(caught.value)


def test_fewer_shots_are_a_subset_of_more_and_all_are_training_questions(planted, tmp_path, monkeypatch):
    parts = Parts.of(planted, 5)
    drawn: list[list[tuple[int, int, int]]] = []

    class Stop(Exception):
        pass

    class System:
        backbone_folder, prompter, views = "", None, {"text": type("Table", (), {"values": None})}

    def rows(_prompter, _backbone, requests, labels, *_rest):
        drawn.append([(r.user_num, r.item_num, int(y)) for r, y in zip(requests, labels, strict=True)])
        raise Stop

    monkeypatch.setattr(rallrec_training, "load", lambda *_args: System())
    backbone = SimpleNamespace(choice=Choice("cpu", "fp32", ""))
    monkeypatch.setattr(rallrec_training, "load_backbone", lambda *_args: backbone)
    monkeypatch.setattr(rallrec_training, "tuning_rows", rows)

    def shots(n: int, seed: int) -> list[tuple[int, int, int]]:
        config = RALLRecConfig.from_values({"tuning.n_shots": n})
        with pytest.raises(Stop):
            rallrec_training._tune(planted, parts, config, tmp_path, tmp_path, seed, ignore_progress)
        return drawn.pop()

    few, more, every = shots(8, 3), shots(64, 3), shots(100_000, 3)
    assert (len(few), len(more)) == (8, 64) and few == more[:8] and more == every[:64]
    assert shots(8, 3) == few != shots(8, 4)
    train = parts.samples.take(parts.split.train)
    asked = zip(train.user_nums.tolist(), train.item_nums.tolist(), train.labels.tolist(), strict=True)
    assert sorted(every) == sorted(asked)
