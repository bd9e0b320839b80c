"""Full ranking against a loop over users."""

import numpy as np

from rec_core.retrieval.full_ranking import top_unseen


def test_equals_a_naive_loop_in_any_chunking() -> None:
    rng = np.random.default_rng(0)
    users, items = (
        rng.integers(-2, 3, (7, 2)).astype(np.float64),
        rng.integers(-2, 3, (9, 2)).astype(np.float64),
    )
    seen = [rng.choice(9, n, replace=False) for n in (0, 1, 3, 9, 8, 2, 5)]
    expected = []
    for user, known in zip(users, seen, strict=True):
        unseen = sorted((i for i in range(9) if i not in known), key=lambda i: (-float(user @ items[i]), i))
        expected.append((unseen + [-1] * 4)[:4])
    for chunk in (1, 3, 100):
        assert top_unseen(users, items, seen, 4, chunk=chunk).tolist() == expected
