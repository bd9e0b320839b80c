"""Two finished runs beside each other: paired differences, and the settings that differ."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pages.shared import cached, messages, session
from pages.shared.plain import unlinked
from rec_core.workbench import show_run

LEVEL = 0.05
CLEAR = "a and b differ"
EVEN = "This difference may be luck."
NUMBERS = {
    name: st.column_config.NumberColumn(format="%.4f") for name in ("a", "b", "difference", "low", "high")
} | {
    "p": st.column_config.NumberColumn(format="%.3g"),
    "p_corrected": st.column_config.NumberColumn(
        "p corrected", format="%.3g", help="After Holm, for the number of metrics in this table."
    ),
}


def draw(made: pd.DataFrame) -> None:
    """Let two finished runs that were judged alike be chosen and draw their paired comparison."""
    done = made[made["state"] == "done"]
    names = done["run"].tolist()
    chosen = session.get(session.RUN)
    left, right = st.columns(2)
    first = names.index(chosen) if chosen in names else 0
    a = (
        left.selectbox("Run a", names, index=first, key=f"compare-a-{chosen}", persist_state="session")
        if names
        else None
    )
    metric = done.loc[done["run"] == a, "metric"]
    alike = done[done["metric"].isin(metric) & (done["run"] != a)]["run"].tolist()
    if not alike:
        sentence = "A comparison needs two finished runs that were judged by the same test metric."
        messages.empty(sentence, "pages/train.py", "Train another, with one thing changed")
        return
    b = right.selectbox("Run b", alike, key=f"compare-b-{a}", persist_state="session")
    facts = [show_run(str(run), workspace=session.workspace()) for run in (a, b)]
    ended = "/".join(str(f["status"].get("finished")) for f in facts)
    with messages.shown():
        differences(cached.compared(session.root(), str(a), str(b), ended))
    settings(facts)


def differences(found: dict[str, Any]) -> None:
    """Draw the paired differences with the reading of each."""
    rows = pd.DataFrame(found["rows"])
    rows["reading"] = [CLEAR if p < LEVEL else EVEN for p in rows["p_corrected"]]
    if "n_rows" in found:
        st.caption(f"a - b on the same {found['n_rows']:,} test rows, 95 % intervals over users.")
    else:
        st.caption("a - b on the same test users, 95 % intervals over users.")
        st.caption(unlinked(f"Both: {found['protocol']}."))
    st.caption(f"They are said to differ where p, corrected for {len(rows)} metrics, is below {LEVEL}.")
    alt = "Paired differences a - b with intervals"
    st.dataframe(rows, hide_index=True, column_config=NUMBERS, height="content", alt=alt)


def settings(facts: list[dict[str, Any]]) -> None:
    """Draw the settings that differ; of two systems, only settings that both have."""
    flat = [
        pd.json_normalize({"system": f["system"], "seed": f["seed"], **f["config"]}, sep=".").astype(str)
        for f in facts
    ]
    both = pd.DataFrame({"a": flat[0].iloc[0], "b": flat[1].iloc[0]}).dropna()
    differing = both[both["a"] != both["b"]].rename_axis("setting").reset_index()
    st.markdown("**Settings that differ**" if len(differing) else "Both runs have the same settings.")
    if facts[0]["system"] != facts[1]["system"]:
        st.caption("Settings that only one of the systems has are left out.")
    if len(differing):
        st.dataframe(differing, hide_index=True, alt="Settings that differ between the runs")
