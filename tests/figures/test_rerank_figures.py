"""The reranker's figures: every item is where its ranks say."""

import numpy as np
import pandas as pd
import pytest

from rec_core.figures.alpha_beta_heatmap import alpha_beta_heatmap
from rec_core.figures.rank_movement import rank_movement
from rec_core.figures.score_parts import score_parts
from rec_core.figures.style import CHANNEL_COLOURS
from rec_core.types import InputError


def test_the_surface_and_the_current_point() -> None:
    surface = pd.DataFrame({"alpha": [1.0, 0.5, 0.5], "beta": [1, 1, 2], "auc": [0.9, 0.7, 0.8]})
    heat, here = alpha_beta_heatmap(surface, "auc", alpha=0.6, beta=1.5).data
    assert (heat.x.tolist(), heat.y.tolist()) == ([0.5, 1.0], [1, 2])
    np.testing.assert_array_equal(heat.z, [[0.7, 0.9], [0.8, np.nan]])  # (1, 2) was not measured
    assert (here.x[0], here.y[0]) == (0.6, 1.5)
    assert len(alpha_beta_heatmap(surface, "auc").data) == 1
    with pytest.raises(InputError, match="no column 'ndcg'"):
        alpha_beta_heatmap(surface, "ndcg")


def row(position: int, rank: int, **more: object) -> dict:
    return {"position": position, "rank": rank, "title": f"T{position}", **more}


def test_every_chosen_item_has_its_way() -> None:
    semantic = [row(4, 1), row(2, 2), row(0, 3)]
    recency = [row(5, 1), row(4, 2)]
    evidence = [row(4, 1, channel="semantic"), row(5, 2, channel="recency"), row(2, 3, channel="semantic")]
    figure = rank_movement(semantic, recency, evidence)
    lines = {t.name: (list(t.x), list(t.y)) for t in figure.data if t.mode == "lines"}
    assert lines["semantic"] == ([0, 1, None, 0, 1, None], [1, 1, None, 2, 3, None])
    assert lines["recency"] == ([2, 1, None], [1, 2, None])
    assert lines["also in recency"] == ([2, 1, None], [2, 1, None])
    assert "also in semantic" not in lines
    points = [(t.name, list(t.x), list(t.y), list(t.text)) for t in figure.data if t.mode == "markers"]
    assert ("semantic, not chosen", [0], [3], ["T0"]) in points
    assert ("semantic", [1, 1], [1, 3], ["T4", "T2"]) in points
    assert ("recency", [2, 2], [1, 2], ["T5", "T4"]) in points
    assert figure.layout.yaxis.autorange == "reversed"


def test_no_history_no_lines() -> None:
    assert all(len(t.x) == 0 for t in rank_movement([], [], []).data)


def test_score_parts_keep_items_with_one_title_apart() -> None:
    rows = pd.DataFrame(
        {
            "item_id": ["1", "2", "1"],
            "title": ["<i>Heat</i>", "<i>Heat</i>", "<i>Heat</i>"],
            "part": ["semantic", "recency", "bonus"],
            "value": [0.6, 0.3, -0.1],
            "note": ["tied", "", ""],
        }
    )
    figure = score_parts(rows)
    assert [(t.name, list(t.x), list(t.y), list(t.text)) for t in figure.data] == [
        ("semantic", [0.6], [0], ["tied"]),
        ("recency", [0.3], [1], [""]),
        ("bonus", [-0.1], [0], [""]),
    ]
    assert figure.data[0].marker.color == CHANNEL_COLOURS["semantic"]
    assert list(figure.layout.yaxis.ticktext) == ["&lt;i&gt;Heat&lt;/i&gt;"] * 2
    assert list(figure.layout.yaxis.tickvals) == [0, 1]
    without_ids = score_parts(rows.drop(columns=["item_id", "note"]).set_index([[0, 0, 0]]))
    assert list(without_ids.layout.yaxis.tickvals) == [0]
    assert [list(t.y) for t in without_ids.data] == [[0]] * 3  # an index with repeats parts nothing
    with pytest.raises(InputError, match="column 'part'"):
        score_parts(rows.drop(columns="part"))
