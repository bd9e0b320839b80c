"""The dataset's figures, and what all figures share."""

import pandas as pd
import pytest

from rec_core.figures.alpha_beta_heatmap import alpha_beta_heatmap
from rec_core.figures.embedding_map import embedding_map
from rec_core.figures.history_lengths import history_lengths
from rec_core.figures.popularity_curve import popularity_curve
from rec_core.figures.style import PALETTE, label
from rec_core.types import InputError


def test_popularity_most_popular_first_without_the_unseen() -> None:
    figure = popularity_curve([0, 3, 9, 0, 1])
    (trace,) = figure.data
    assert (trace.x.tolist(), trace.y.tolist()) == ([1, 2, 3], [9, 3, 1])
    assert "2 items without any" in figure.layout.xaxis.title.text
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "log"
    assert popularity_curve([]).data[0].x.tolist() == []


def test_history_lengths_as_given() -> None:
    numbers = {"min": 1, "q25": 4, "median": 9, "q75": 20, "max": 80}
    (box,) = history_lengths({"all": numbers, "test": {**numbers, "max": 90}}).data
    assert (list(box.y), list(box.lowerfence), list(box.q1)) == (["all", "test"], [1, 1], [4, 4])
    assert (list(box.median), list(box.q3), list(box.upperfence)) == ([9, 9], [20, 20], [80, 90])
    with pytest.raises(InputError, match="no 'max'"):
        history_lengths({"all": {k: v for k, v in numbers.items() if k != "max"}})


FIGURES = [
    popularity_curve([1, 2]),
    embedding_map(pd.DataFrame({"item_id": ["1"], "x": [0.0], "y": [0.0]}), hover=None),
    alpha_beta_heatmap(pd.DataFrame({"alpha": [0.5], "beta": [1.0], "auc": [0.7]}), "auc"),
]


@pytest.mark.parametrize("figure", FIGURES)
def test_transparent_and_titled(figure) -> None:
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert figure.layout.xaxis.title.text and figure.layout.yaxis.title.text
    assert figure.layout.colorway == PALETTE


def test_labels_are_short_plain_lines() -> None:
    assert label("a\n<a href='x'>b</a> & c") == "a &lt;a href='x'&gt;b&lt;/a&gt; &amp; c"
    assert label("x" * 100) == "x" * 59 + "…"
    assert label(None) == "None"
