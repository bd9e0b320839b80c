"""A run may score its own way of answering alone; the others are scored when they are asked for."""

import pytest

from rec_core.data.storage import save_dataset
from rec_core.store import Workspace
from rec_core.workbench import new_run, resume
from rec_core.workbench.arm_verbs import score_arms_of

SETTINGS = {
    "backbone.max_length": 512,
    "sample_lm.hidden_size": 16,
    "sample_lm.n_layers": 1,
    "sample_lm.n_heads": 2,
    "sample_lm.vocab_size": 600,
    "sample_lm.block_length": 64,
    "sample_lm.training.epochs": 1,
    "sample_lm.training.batch_size": 32,
    "n_test": 20,
    "n_threads": 1,
    "tuning.n_shots": 16,
    "tuning.lora.rank": 2,
    "top_k": 5,
}


@pytest.mark.parametrize("compare_arms", [True, False])
def test_other_arms_are_scored_then_or_later(planted, tiny_bert, tmp_path, compare_arms):
    space = Workspace(tmp_path)
    save_dataset(planted, space.dataset_path("planted"))
    settings = {**SETTINGS, "encoder.name": str(tiny_bert), "compare_arms": compare_arms}
    run = new_run("rella", "planted", "tiny", settings, 0, workspace=space)
    result = resume(run, workspace=space)
    scored = {"rella", "recent", "zero_shot"} if compare_arms else {"rella"}
    assert set(result["arms"]) == scored
    assert set(result["retrieval"]) == scored | {"random"}
    asked = []
    later = score_arms_of(run, ["recent"], lambda event: asked.append(event.stage), workspace=space)
    assert later["p_recent"].between(0, 1).all() and len(later) == 20
    assert "scoring recent" in asked
