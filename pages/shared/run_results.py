"""What a finished run measured on its test part: by arm or alone, beyond accuracy, user by user."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pages.shared import cached, messages, session
from pages.shared.plain import unlinked
from rec_core.figures.metric_bars import metric_bars

NUMBERS = {name: st.column_config.NumberColumn(format="%.4f") for name in ("value", "low", "high")}


def draw(run: str, metrics: dict[str, Any], finished: str) -> None:
    """Draw all of a run's test results; nothing before there are any."""
    if metrics.get("arms"):
        by_arm(metrics)
        st.caption(unlinked(f"Language model: {metrics.get('precision') or 'not said'}"))
        if metrics.get("text_source"):
            st.caption(unlinked(f"Text view: {metrics['text_source']}"))
        return
    if not metrics.get("metrics"):
        return
    alone(metrics["metrics"])
    for sentence in filter(None, (metrics.get("protocol"), _validated(metrics.get("validation")))):
        st.caption(unlinked(sentence))
    beside(metrics)
    if metrics.get("n_test_users"):
        users(run, list(metrics["metrics"]), finished)


def alone(metrics: dict[str, Any]) -> None:
    """Draw the metrics of a run without arms: one family (recall at every k) as a figure, all as a table."""
    families: dict[str, dict[str, Any]] = {}
    for name, interval in metrics.items():
        families.setdefault(name.partition("@")[0], {})[name] = interval
    several = {family: found for family, found in families.items() if len(found) > 1}
    if not several:  # metrics of different kinds share no axis
        st.dataframe(
            _rows(metrics), hide_index=True, column_config=NUMBERS, alt="Test metrics with intervals"
        )
        return
    names = list(several)
    first = "ndcg" if "ndcg" in several else names[0]
    family = st.segmented_control("Metric", names, default=first, required=True, key="runs-family")
    points = {name: {str(family): interval} for name, interval in several[str(family)].items()}
    alt = f"{family} on the test users by list length, with 95 % intervals"
    drawing = metric_bars(points, str(family)).update_layout(height=120 + 50 * len(points))
    messages.figure(drawing, _rows(metrics), alt, "metrics")


def beside(metrics: dict[str, Any]) -> None:
    """Draw what the lists are like beside right or wrong, and the ranking among sampled items."""
    beyond = metrics.get("beyond") or {}
    if beyond:
        with st.expander("Beyond accuracy: what the lists are like", icon=":material/diversity_3:"):
            table = _rows(beyond.get("users") or {})
            st.dataframe(table, hide_index=True, column_config=NUMBERS, alt="Means over users with intervals")
            whole = pd.DataFrame((beyond.get("catalogue") or {}).items(), columns=["measure", "value"])
            st.dataframe(whole, hide_index=True, column_config=NUMBERS, alt="Values of the whole catalogue")
    if metrics.get("sampled"):
        with st.expander("Ranked among sampled items only", icon=":material/casino:"):
            st.caption(unlinked(str(metrics["sampled"]["protocol"])))
            st.dataframe(_rows(metrics["sampled"]["metrics"]), hide_index=True, column_config=NUMBERS)


def users(run: str, names: list[str], finished: str) -> None:
    """Draw the test users that were served best and worst, when asked."""
    if not st.toggle("Best and worst users", key="runs-users"):
        return
    default = names.index("ndcg@10") if "ndcg@10" in names else 0
    metric = st.selectbox("By", names, index=default, key="runs-users-metric")
    found = cached.best_and_worst(session.root(), run, str(metric), finished)
    for side, words in (("best", "Served best"), ("worst", "Served worst")):
        st.markdown(f"**{words}**")
        columns = ["user", "value", "n_history", "wanted", "hits", "recommended", "history"]
        shown = {
            "value": st.column_config.NumberColumn(str(metric), format="%.3f"),
            "n_history": st.column_config.NumberColumn("had", help="Training items of this user."),
        }
        table = pd.DataFrame(found[side])[columns]
        st.dataframe(table, hide_index=True, column_config=shown, alt=f"Users {words.lower()} by {metric}")
    st.caption("Among equal values the longer history comes first: its user gave more to go by.")


def by_arm(metrics: dict[str, Any]) -> None:
    """Draw the test metrics of each arm, and the differences between arms."""
    rows = pd.concat([_rows(found).assign(arm=arm) for arm, found in metrics["arms"].items()])
    names = rows["metric"].unique().tolist()
    first = "auc" if "auc" in names else names[0]
    metric = st.segmented_control("Metric", names, default=first, required=True, key="runs-metric")
    alt = f"{metric} on the test rows by arm, with 95 % intervals"
    chosen = rows[rows["metric"] == metric]
    messages.figure(metric_bars(metrics["arms"], str(metric)), chosen, alt, "metrics")
    if metrics.get("differences"):
        pairs = pd.concat([_rows(found).assign(pair=pair) for pair, found in metrics["differences"].items()])
        with st.expander("Differences between the arms, on the same rows", icon=":material/difference:"):
            st.dataframe(pairs, hide_index=True, alt="Paired differences between arms with intervals")


def _rows(metrics: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame([{"metric": name, **interval} for name, interval in metrics.items()])


def _validated(validation: dict[str, Any] | None) -> str:
    return f"Validation {validation['metric']} {validation['value']:.4f}." if validation else ""
