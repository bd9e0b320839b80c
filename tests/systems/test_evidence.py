"""Which history items a prompt shows."""

import numpy as np
import pytest

from rec_core.retrieval.rerank import RerankConfig
from rec_core.retrieval.similarity import CosineSimilarity, ShiftedNeighbours
from rec_core.systems.evidence import reordered, select_evidence, with_similarities
from rec_core.systems.retrievers import FixedSplit, Halves, Recent, Reranked, Retriever, Similar
from rec_core.types import History, ScoreRequest


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def retrievers(values: np.ndarray) -> dict[str, Retriever]:
    near = CosineSimilarity(values)
    return {
        "recent": Recent(),
        "similar": Similar(near, "relevance"),
        "similar in time order": Similar(near, "chronological"),
        "reranked": Reranked(near, RerankConfig(top_k=4)),
        "recency only": Reranked(near, RerankConfig(alpha=0.0, top_k=4)),
        "shifted": Similar(ShiftedNeighbours(near), "relevance"),
        "fixed split": FixedSplit(near),
        "halves": Halves(near, CosineSimilarity(values[:, ::-1] ** 3)),
    }


@pytest.mark.parametrize("name", retrievers(np.zeros((1, 1))))
@pytest.mark.parametrize("target", [3, 9, 20, 25])
def test_the_target_is_never_its_own_evidence(values, history, name, target):
    """Also where the user has rated the target before."""
    chosen = select_evidence([ScoreRequest(0, history, target)], retrievers(values)[name], 4)[0]
    assert len(chosen) == 4 if target != 3 else len(chosen) in (4, 5)
    assert target not in [item.item_num for item in chosen]
    for item in chosen:
        assert (
            item.item_num == history.item_nums[item.position]
            and item.rating == history.ratings[item.position]
        )


def test_similar_items_come_first_and_of_a_repeated_one_the_latest(values, history):
    chosen = select_evidence(
        [ScoreRequest(0, history, 25)], Similar(CosineSimilarity(values), "relevance"), 3
    )[0]
    ranked = sorted({3, 7, 9, 12, 20}, key=lambda item: -cosine(values[item], values[25]))
    assert [item.item_num for item in chosen] == ranked[:3]
    assert [(item.channel, item.rank) for item in chosen] == [
        ("semantic", 1),
        ("semantic", 2),
        ("semantic", 3),
    ]
    assert all(item.position == 3 for item in chosen if item.item_num == 3)
    in_time = select_evidence(
        [ScoreRequest(0, history, 25)], Similar(CosineSimilarity(values), "chronological"), 3
    )[0]
    assert [item.position for item in in_time] == sorted(item.position for item in chosen)


def test_recent_items_are_shown_oldest_first(history):
    chosen = select_evidence([ScoreRequest(None, history, 25)], Recent(), 3)[0]
    assert [(item.item_num, item.rank, item.channel) for item in chosen] == [
        (3, 3, "recency"),
        (12, 2, "recency"),
        (20, 1, "recency"),
    ]


def test_reranked_evidence_mixes_both_channels(values, history):
    """alpha 1/2: the channels alternate, semantic first."""
    request = ScoreRequest(0, history, 25)
    retriever = Reranked(CosineSimilarity(values), RerankConfig(alpha=0.5, beta=1.0, top_k=2))
    similar = select_evidence([request], Similar(CosineSimilarity(values), "relevance"), 5)[0]
    chosen = select_evidence([request], retriever, 2)[0]
    assert chosen[0].item_num == similar[0].item_num and chosen[0].score == pytest.approx(0.5)
    newest = 20 if similar[0].item_num != 20 else similar[1].item_num
    assert chosen[1].item_num == newest


def test_the_shift_reads_the_neighbours_row(values, history):
    chosen = select_evidence(
        [ScoreRequest(0, history, 25)], Similar(ShiftedNeighbours(CosineSimilarity(values)), "relevance"), 5
    )[0]
    ranked = sorted({3, 7, 9, 12, 20}, key=lambda item: -cosine(values[item + 1], values[25]))
    assert [item.item_num for item in chosen] == ranked


def test_an_empty_history_gives_no_evidence(values):
    nobody = History(np.empty(0, np.int32), np.empty(0, np.float32), np.empty(0, np.int64))
    for retriever in retrievers(values).values():
        assert select_evidence([ScoreRequest(None, nobody, 4)], retriever, 5) == [()]
        assert select_evidence([], retriever, 5) == []


def test_the_same_evidence_in_another_order_and_with_cosines(values, history):
    similar = select_evidence(
        [ScoreRequest(0, history, 25)], Similar(CosineSimilarity(values), "relevance"), 5
    )[0]
    in_time = reordered(similar, "chronological")
    assert [item.position for item in in_time] == [1, 2, 3, 4, 5] and sorted(
        similar, key=lambda e: e.position
    ) == [*in_time]
    assert reordered(in_time, "relevance") == similar
    marked = with_similarities(similar, {"id": np.arange(5) / 10})
    assert [item.similarities for item in marked] == [{"id": i / 10} for i in range(5)]


def test_the_number_asked_for_counts_not_the_rerankers_own(values, history):
    """Figure 3 reads one run with other numbers of history items."""
    request, near = ScoreRequest(0, history, 25), CosineSimilarity(values)
    for asked in (2, 4):
        own = select_evidence([request], Reranked(near, RerankConfig(top_k=asked)), asked)
        assert len(own[0]) == asked
        for configured in (1, 3, 5):
            retriever = Reranked(near, RerankConfig(top_k=configured))
            assert select_evidence([request], retriever, asked) == own
