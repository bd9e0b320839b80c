"""The numbers that say how far behaviour and words agree, with their meanings."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.shared import cached, session

MEANINGS = (
    "CKA: 1 when two spaces have the same shape. Shared neighbours: the share of the 10 nearest that two "
    "views have in common. Partner rank: where an item's own ID vector stands among all, seen from its "
    "aligned vector; 1 is best. Modality gap: how far the centres of the two clouds lie apart. Uniformity: "
    "lower is more evenly spread."
)


def numbers(run: str) -> None:
    """Draw how far the views agree."""
    found = cached.agreement(session.root(), run)
    st.subheader("How far the views agree", anchor=False)
    partner = found["partner"]
    columns = st.columns(4)
    rank, chance = f"{partner['mean_rank']:.1f}", f"chance {partner['chance_rank']:.0f}"
    columns[0].metric("Mean rank of the partner", rank, chance, delta_color="off", delta_arrow="off")
    columns[1].metric("Modality gap", f"{partner['modality_gap']:.2f}")
    aligned = next(pair for pair in found["pairs"] if (pair["a"], pair["b"]) == ("id", "aligned"))
    columns[2].metric("CKA, ID and aligned", f"{aligned['cka']:.2f}")
    columns[3].metric("Shared neighbours, ID and aligned", f"{aligned['knn_overlap']:.0%}")
    with st.expander("All numbers, and what they mean", icon=":material/table:"):
        st.markdown(MEANINGS)
        pairs = pd.DataFrame(found["pairs"])
        st.dataframe(pairs, hide_index=True, alt="CKA and shared neighbours of each pair of views")
        spread = pd.DataFrame(found["uniformity"].items(), columns=["view", "uniformity"])
        st.dataframe(spread, hide_index=True, alt="Uniformity of each view")
