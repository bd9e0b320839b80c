"""What a study measured: beside the paper, as differences, and every number."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pages.shared import messages, session
from pages.shared.plain import unlinked
from rec_core.figures.metric_bars import metric_bars
from rec_core.studies import StudyCard
from rec_core.studies.kept_results import kept_results

NUMBERS = {
    name: st.column_config.NumberColumn(format="%.4f") for name in ("value", "low", "high", "paper")
} | {"p_delong": st.column_config.NumberColumn("p (DeLong)", format="%.3g")}
COLUMNS = ("label", "metric", "value", "low", "high", "paper", "n", "n_rows", "p_delong")


def draw(card: StudyCard, data: str) -> None:
    """Draw the newest kept result, or another that is chosen."""
    kept = kept_results(card.name, data, session.workspace())
    if not kept:
        st.caption(unlinked(f"Not measured on {data} yet."))
        return
    place = st.selectbox(
        "Result",
        range(len(kept)),
        format_func=lambda i: _words(kept[i]["settings"]),
        key=f"result-{card.name}-{data}",
    )
    rows = pd.DataFrame(kept[int(place or 0)]["rows"])
    beside_the_paper(rows)
    differences(rows)
    with st.expander("Every number, with interval and n", icon=":material/table:"):
        table(rows, "All rows of the study")
        st.download_button(
            "Download",
            rows.to_csv(index=False),
            f"{card.name}-{data}.csv",
            "text/csv",
            icon=":material/download:",
        )


def beside_the_paper(rows: pd.DataFrame) -> None:
    """Draw one metric of every row that is no difference, with the paper's figures."""
    plain = rows[~_is_difference(rows)]
    metrics = list(dict.fromkeys(plain["metric"]))
    metric = st.segmented_control("Metric", metrics, default=metrics[0], required=True, key="study-metric")
    found = plain[plain["metric"] == metric]
    points = {row["label"]: {str(metric): row} for row in found.to_dict("records")}
    printed = {row["label"]: row["paper"] for row in found.to_dict("records") if pd.notna(row["paper"])}
    drawing = metric_bars(points, str(metric), printed).update_layout(height=140 + 42 * len(points))
    alt = f"{metric} of every way of answering with its 95 % interval, and what the paper prints"
    messages.figure(drawing, _columns(found), alt, "study")


def differences(rows: pd.DataFrame) -> None:
    """Draw the paired differences."""
    found = rows[_is_difference(rows)]
    if found.empty:
        return
    st.markdown("**Differences on the same test rows**")
    st.caption("Paired by user, 95 % intervals, not corrected for their number. Zero inside: may be luck.")
    table(found[found["metric"] == found["metric"].iloc[0]], "Paired differences")


def table(rows: pd.DataFrame, alt: str) -> None:
    """Draw rows of a study."""
    st.dataframe(_columns(rows), hide_index=True, column_config=NUMBERS, alt=alt)


def _columns(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[[name for name in COLUMNS if name in rows and rows[name].notna().any()]]


def _is_difference(rows: pd.DataFrame) -> pd.Series:
    return rows["label"].str.contains(" - ", regex=False)


def _words(settings: dict[str, Any]) -> str:
    words = [f"{name} {value}" for name, value in settings.items() if value not in (None, "", {})]
    return ", ".join(words) or "as it comes"
