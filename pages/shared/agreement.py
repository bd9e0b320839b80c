"""The numbers that say how far behaviour and words agree, with their meanings."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.shared import cached, session

LABELS = {"id": "ID", "text": "text", "aligned": "aligned"}
MEANINGS = (
    "CKA: 1 when two spaces have the same shape. Shared neighbours: the share of the 10 nearest that two "
    "views have in common. Partner rank: where an item's own ID vector stands among all, seen from its "
    "aligned vector; 1 is best. Modality gap: how far the centres of the two clouds lie apart. Uniformity: "
    "lower is more evenly spread."
)


def numbers(run: str) -> None:
    """Draw how far the views agree; a single view has only its own spread."""
    found = cached.agreement(session.root(), run)
    if not found["pairs"]:
        spread = ", ".join(f"{value:.2f}" for value in found["uniformity"].values())
        st.caption(
            "This run has one view of the items, so there is nothing to agree with. "
            f"Uniformity {spread}: lower is more evenly spread."
        )
        return
    st.subheader("How far the views agree", anchor=False)
    shown: list[tuple[str, ...]] = []
    if found["partner"]:
        partner = found["partner"]
        rank, chance = f"{partner['mean_rank']:.1f}", f"chance {partner['chance_rank']:.0f}"
        shown = [
            ("Mean rank of the partner", rank, chance),
            ("Modality gap", f"{partner['modality_gap']:.2f}"),
        ]
    pairs = {(pair["a"], pair["b"]): pair for pair in found["pairs"]}
    (a, b), pair = next(
        ((k, p) for k, p in pairs.items() if k == ("id", "aligned")), next(iter(pairs.items()))
    )
    shown.append((f"CKA, {LABELS[a]} and {LABELS[b]}", f"{pair['cka']:.2f}"))
    shown.append((f"Shared neighbours, {LABELS[a]} and {LABELS[b]}", f"{pair['knn_overlap']:.0%}"))
    for column, metric in zip(st.columns(len(shown)), shown, strict=True):
        column.metric(*metric, delta_color="off", delta_arrow="off")
    with st.expander("All numbers, and what they mean", icon=":material/table:"):
        st.markdown(MEANINGS)
        pairs = pd.DataFrame(found["pairs"])
        st.dataframe(pairs, hide_index=True, alt="CKA and shared neighbours of each pair of views")
        spread = pd.DataFrame(found["uniformity"].items(), columns=["view", "uniformity"])
        st.dataframe(spread, hide_index=True, alt="Uniformity of each view")
