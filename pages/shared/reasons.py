"""Why one item was recommended: sentence, evidence, removals, and the prompt where the system reads one."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pages.shared import cached, messages, session
from rec_core.figures.score_parts import score_parts


def why(run: str, user: str | None, pairs: tuple[tuple[str, float], ...], item: dict[str, Any]) -> None:
    """Draw the reasons: sentence, removals, evidence, and the prompt where there is one."""
    found = cached.explanation(session.root(), run, user, pairs, item["item_id"])
    st.text(found["sentence"])
    removed(found)
    if found["evidence"]:
        with st.expander("Evidence", icon=":material/list:"):
            evidence(found)
    if found["prompt"]:
        prompt(found)
    elif found["parts"]:
        parts = pd.DataFrame(found["parts"].items(), columns=["part", "value"])
        with st.expander("What the score is made of", icon=":material/calculate:"):
            st.dataframe(parts, hide_index=True, alt="The parts of the score")


def removed(found: dict[str, Any]) -> None:
    """Draw what the score would be without one history item."""
    st.markdown("**If one history item had not been there**")
    changes = pd.DataFrame(found["removals"])
    if found["note"]:
        st.caption(found["note"])
    if changes.empty:
        if not found["note"]:
            st.caption("No evidence was read, so nothing can be removed.")
        return
    what = "change of P(like)" if found["scale"] == "probability" else "change of the score"
    changes = changes.sort_values("change", ignore_index=True)
    parts = changes.rename(columns={"change": "value"}).assign(part=what)
    alt = f"{what[0].upper()}{what[1:]} when one history item is removed, each recomputed by the model"
    messages.figure(score_parts(parts, f"{what} without it"), changes, alt, "removals")


def prompt(found: dict[str, Any]) -> None:
    """Draw the prompt, its tokens and the logits of the answer."""
    with st.expander("The prompt and its tokens", icon=":material/notes:"):
        parts = pd.DataFrame(found["tokens"].items(), columns=["part", "tokens"])
        st.dataframe(parts, hide_index=True, alt="Tokens by part of the prompt")
        st.caption(f"Logit of yes {found['parts']['yes_logit']:.2f}, of no {found['parts']['no_logit']:.2f}.")
        st.code(found["prompt"], language=None, wrap_lines=True)


def evidence(item: dict[str, Any]) -> None:
    """Draw the evidence with its channel and its similarity in each view."""
    rows = [
        {**{k: v for k, v in e.items() if k != "similarities"}, **e["similarities"]} for e in item["evidence"]
    ]
    table = pd.DataFrame(rows).drop(columns="item_id", errors="ignore")
    cosine = {v: st.column_config.NumberColumn(v, format="%.2f") for v in ("id", "text", "aligned", "score")}
    st.dataframe(
        table, hide_index=True, column_config=cosine, alt="The evidence with channel and similarities"
    )
