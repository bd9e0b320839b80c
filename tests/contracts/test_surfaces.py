"""What every alpha and beta does, for systems that merge channels: against the system's own answers."""

import numpy as np
import pytest

from rec_core.metrics.ctr import auc
from rec_core.types import Cancelled, ChannelMerger
from rec_core.workbench import auc_surface, known_auc_surface, surface
from rec_core.workbench.auc_surface_verbs import ALPHAS, BETAS
from rec_core.workbench.surface_verbs import surface_questions


@pytest.fixture
def merger(trained):
    if not isinstance(trained.system, ChannelMerger):
        pytest.skip("merges no channels")
    return trained.system


def test_the_auc_at_the_runs_own_point_is_that_of_its_scores(merger, trained):
    assert known_auc_surface(trained.run_id, 30, workspace=trained.workspace) is None
    events = []

    def stop(event):
        events.append(event)
        if len(events) > 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        auc_surface(trained.run_id, 30, 0, stop, workspace=trained.workspace)
    table = auc_surface(trained.run_id, 30, workspace=trained.workspace)
    assert len(table) == len(ALPHAS) * len(BETAS)
    kept = known_auc_surface(trained.run_id, 30, workspace=trained.workspace)
    assert kept is not None and kept.equals(table)
    requests, labels = surface_questions(merger, 30, 0)
    for alpha, beta in ((0.3, 2.0), (0.5, 1.0), (1.0, 0.25)):
        settings = merger.reranker.with_values({"alpha": alpha, "beta": beta})
        probs = []
        for request, (near, late) in zip(requests, merger.channels(requests, settings.top_k), strict=True):
            from rec_core.retrieval.rerank import prompt_order, rerank

            probs.append(merger.read(request, rerank(near, late, settings), prompt_order(settings))[1])
        found = table[(table["alpha"] == alpha) & (table["beta"] == beta)]["auc"].item()
        assert found == pytest.approx(auc(labels, np.array(probs)), abs=1e-9)
    halves = table[table["alpha"] == 0.5]["auc"]
    assert halves.nunique() == 1  # at alpha = 1/2 beta changes nothing


def test_the_surface_of_evidence_agrees_with_a_loop(merger, trained):
    from rec_core.retrieval.rerank import rerank

    table = surface(trained.run_id, workspace=trained.workspace)
    requests, labels = surface_questions(merger, 200, 0)
    settings = merger.reranker.with_values({"alpha": 0.8, "beta": 2.0})
    shares = []
    for request, label, (near, late) in zip(
        requests, labels, merger.channels(requests, settings.top_k), strict=True
    ):
        rows = rerank(near, late, settings)
        shares.append(np.mean([(request.history.ratings[row.position] > 3) == label for row in rows]))
    found = table[(table["alpha"] == 0.8) & (table["beta"] == 2.0)]
    assert found["label_agreement"].item() == pytest.approx(np.mean(shares))
