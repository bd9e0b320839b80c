"""Memory estimates: hand calculations on 30 users, 30 items and the rows of the planted viewers."""

import pytest

from rec_core.roster import SYSTEMS
from rec_core.workbench import load_dataset, preflight

MB = 1024**2


@pytest.fixture
def needs(trained_runs):
    def ask(system, **overrides):
        found = preflight(system, "planted", "tiny", overrides, workspace=trained_runs.space)
        assert found["total_mb"] == pytest.approx(sum(row["mb"] or 0 for row in found["rows"]))
        assert found["ok"] == (found["total_mb"] < found["available_mb"])
        return {row["what"]: row["mb"] * MB if row["mb"] else row["mb"] for row in found["rows"]}

    return ask


@pytest.mark.parametrize("system", [card.name for card in SYSTEMS])
def test_every_system_has_an_estimate(needs, system):
    rows = needs(system)
    assert rows["runtime"] > 0 and all(size is None or size > 0 for size in rows.values())
    reads = ("rallrec", "rella", "hybrid_score", "zero_shot")
    assert ("language model" in rows) == (system in reads)
    assert ("behaviour view" in rows) == (system in ("rallrec", "hybrid_score"))
    assert ("alignment" in rows) == (system == "rallrec")


def test_vectors_count_weights_gradient_and_adam(needs):
    assert needs("matrix_factorisation", embedding_size=8)["vectors"] == pytest.approx(60 * 8 * 4 * 4)
    assert needs("ials", embedding_size=8)["vectors"] == pytest.approx(60 * 8 * 4 * 2)
    assert "vectors" not in needs("popularity")


def test_a_graph_has_two_entries_per_row_and_a_copy_of_the_nodes_per_layer(needs, trained_runs):
    n = len(load_dataset("planted", workspace=trained_runs.space).interactions)
    rows = needs("graph_cf", embedding_size=8, n_layers=3)
    assert rows["graph"] == pytest.approx(2 * n * 16 + 60 * 8 * 4 * 2 * 4)
    assert "graph" not in needs("matrix_factorisation")


def test_item_weights_are_the_square_of_the_catalogue_or_its_neighbours(needs):
    assert needs("ease")["item weights"] == pytest.approx(30 * 30 * 12)
    assert needs("item_knn", n_neighbours=6)["item weights"] == pytest.approx(30 * 6 * 12)
    assert needs("item_knn", n_neighbours=500)["item weights"] == pytest.approx(30 * 30 * 12)


def test_scores_of_the_whole_catalogue_are_counted_where_the_loss_needs_them(needs):
    assert needs("sequential", batch_size=64)["next-item scores"] == pytest.approx(64 * 30 * 4 * 3)
    assert "next-item scores" not in needs("matrix_factorisation")
