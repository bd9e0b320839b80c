"""What the map's one trace holds."""

import json

import numpy as np
import pandas as pd
import pytest

from rec_core.figures.embedding_map import embedding_map
from rec_core.figures.style import MUTED, PALETTE
from rec_core.types import InputError

POINTS = pd.DataFrame(
    {
        "item_id": ["10", "20", "30", "40"],
        "title": ["<b>A</b>", "B", "C", "D\nE"],
        "x": [0.0, 1.0, 2.0, 3.0],
        "y": [5.0, 6.0, 7.0, 8.0],
        "genres": ["Drama|War", "Comedy", "Drama", ""],
        "popularity": [0, 9, 99, 999],
        "year": pd.array([1990, None, 2000, 2010], dtype="Int64"),
        "trust": [1.0, 0.5, 0.0, np.nan],
    }
)


def test_one_webgl_trace_with_ids_and_float32() -> None:
    figure = embedding_map(POINTS)
    (trace,) = figure.data
    assert trace.type == "scattergl"
    assert list(trace.customdata) == ["10", "20", "30", "40"]
    assert trace.x.dtype == trace.y.dtype == np.float32
    assert trace.x.tolist() == [0, 1, 2, 3] and trace.y.tolist() == [5, 6, 7, 8]


def test_selected_ids_stand_out_and_unknown_ids_are_ignored() -> None:
    marker = embedding_map(POINTS, selected=["40", "nowhere", "20"]).data[0].marker
    assert marker.size.tolist() == [6, 13, 6, 13]
    np.testing.assert_allclose(marker.opacity, [0.4, 1, 0.4, 1])
    assert embedding_map(POINTS, selected=["nowhere"]).data[0].marker.opacity is None


def test_trust_still_shows_behind_a_selection() -> None:
    opacity = embedding_map(POINTS, selected=["40"], trust=True).data[0].marker.opacity
    np.testing.assert_allclose(opacity, [0.4, 0.2, 0.4 * 0.12, 1])


def test_a_new_selection_drops_the_lasso_drawn_by_hand_but_not_the_zoom() -> None:
    first, second = (embedding_map(POINTS, selected=[item]).layout for item in ("10", "20"))
    assert first.selectionrevision != second.selectionrevision
    assert first.uirevision == second.uirevision


def test_titles_are_text_not_markup() -> None:
    (trace,) = embedding_map(POINTS).data
    assert list(trace.text) == ["&lt;b&gt;A&lt;/b&gt;", "B", "C", "D E"]
    assert embedding_map(POINTS, hover=None).data[0].text is None


def test_categories_by_first_part_most_frequent_first() -> None:
    marker = embedding_map(POINTS, colour="genres").data[0].marker
    assert marker.color.tolist()[0] == marker.color.tolist()[2] == 0  # Drama, twice
    assert marker.colorbar.ticktext[0] == "Drama"
    assert set(marker.colorbar.ticktext) == {"Drama", "Comedy", "unknown"}
    assert marker.colorscale[0][1] == PALETTE[0]


def test_rare_categories_share_one_colour() -> None:
    many = pd.DataFrame(
        {"item_id": range(30), "x": 0.0, "y": 0.0, "kind": [f"k{i}" for i in range(10)] * 2 + ["k0"] * 10}
    )
    marker = embedding_map(many, colour="kind", hover=None).data[0].marker
    assert marker.colorbar.ticktext[-1] == "other"
    assert len(marker.colorbar.ticktext) == 8
    assert (marker.color == 7).sum() == 6  # 3 of 10 kinds, twice each
    assert marker.colorscale[-1] == (1, MUTED)
    assert (marker.cmin, marker.cmax) == (-0.5, 7.5)


def test_numbers_get_a_scale_popularity_a_logarithmic_one() -> None:
    marker = embedding_map(POINTS, colour="popularity").data[0].marker
    np.testing.assert_allclose(marker.color, [0, 1, 2, 3], atol=1e-6)  # log10(1 + n)
    assert list(marker.colorbar.ticktext) == ["1", "10", "100"]
    np.testing.assert_allclose(marker.colorbar.tickvals, np.log10([2, 11, 101]))
    years = embedding_map(POINTS, colour="year").data[0].marker.color
    np.testing.assert_array_equal(years, np.array([1990, np.nan, 2000, 2010], dtype=np.float32))


def test_trust_fades() -> None:
    opacity = embedding_map(POINTS, trust=True).data[0].marker.opacity
    assert opacity[0] == 1 and opacity[1] == 0.5
    assert 0 < opacity[2] == opacity[3] < 0.2  # not trusted, not known: faint, still visible


def test_an_empty_map_and_a_missing_column() -> None:
    assert embedding_map(POINTS.iloc[:0], colour="genres").data[0].x.tolist() == []
    assert embedding_map(POINTS.iloc[:0], colour="popularity").data[0].x.tolist() == []
    with pytest.raises(InputError, match="no column 'mood'"):
        embedding_map(POINTS, colour="mood")
    with pytest.raises(InputError, match="no column 'trust'"):
        embedding_map(POINTS.drop(columns="trust"), trust=True)


def test_twenty_thousand_points_fit_the_payload() -> None:
    n = 20_000
    rng = np.random.default_rng(0)
    points = pd.DataFrame(
        {
            "item_id": np.arange(n),
            "x": rng.normal(size=n),
            "y": rng.normal(size=n),
            "title": "A title of usual length",
            "year": 1990,
        }
    )
    assert len(embedding_map(points, colour="year").to_json()) < 1_100_000
    trace = json.loads(embedding_map(points, hover=None).to_json())["data"][0]
    assert trace["x"]["dtype"] == "f4"
