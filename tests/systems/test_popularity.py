"""Popularity: the counts themselves, the same for everybody, with no history item as evidence."""

import numpy as np

from rec_core.systems import popularity
from rec_core.systems.ranking_parts import RankingParts
from rec_core.types import History, ignore_progress


def test_scores_are_the_logarithms_of_the_counts_and_nobody_is_evidence(planted, tmp_path):
    config = popularity.PopularityConfig()
    parts = RankingParts.of(planted, config.task)
    popularity.learn(parts, config, tmp_path, 0, ignore_progress)
    system = popularity.load(planted, config, tmp_path)
    counts = [sum(int(item) == j for item in parts.train_pairs[1]) for j in range(30)]
    past = History(np.array([3, 8], np.int32), np.full(2, 5, np.float32), np.arange(2))
    for user in (None, 4):
        np.testing.assert_allclose(system.catalogue_scores(past, user), np.log1p(counts), rtol=1e-6)
    scores = system.user_scores(parts, "test")(np.array([0, 7]))
    scores.zero_()  # an evaluation overwrites what it is given
    np.testing.assert_allclose(
        system.user_scores(parts, "test")(np.array([0]))[0], np.log1p(counts), rtol=1e-6
    )
    assert all(r.evidence == () for r in system.recommend(past, 5))
