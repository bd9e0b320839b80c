"""Rerank: what do alpha and beta do to the evidence a language model sees?"""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pages.shared import cached, entry, messages, pickers, reranker_plane, reranker_settings, session
from rec_core.figures.rank_movement import rank_movement

FORMATS = {
    "rank": st.column_config.NumberColumn("#", width=36),
    "title": st.column_config.TextColumn("title", width=170),
    "similarity": st.column_config.NumberColumn("cosine", format="%.2f", width=64),
    "from": st.column_config.TextColumn(
        "from", width=70, help="The channel it counts for, and its rank there."
    ),
    "score": st.column_config.NumberColumn("score", format="%.3f", width=60),
    "tied": st.column_config.CheckboxColumn("tied", width=50, help="Another item has the same score."),
}
CHANNELS = {"semantic": "similar", "recency": "recent"}


@st.fragment
def panel(run: str, user: str, item: str) -> None:
    """Draw the sliders and everything that follows them, without redrawing the page."""
    chosen = reranker_settings.choose(run)
    with messages.shown():
        found = cached.evidence(session.root(), run, user, item, *chosen)
        results(found)
    reranker_plane.draw(run, chosen.alpha, chosen.beta)


def results(found: dict[str, Any]) -> None:
    """Draw what the settings do for one viewer and item."""
    merged = pd.DataFrame(found["evidence"])
    if found["note"]:
        st.info(found["note"], icon=":material/info:")
    if merged.empty:
        st.info("This viewer has no history before this item; choose another.")
        return
    left, right = st.columns([1, 3], vertical_alignment="center")
    left.metric(
        "P(like)", f"{found['p_yes']:.1%}", help="The language model's probability of yes with this prompt."
    )
    n_semantic, n_tied = int((merged["channel"] == "semantic").sum()), int(merged["tied"].sum())
    n_recent = len(merged) - n_semantic
    counts = f"From similarity come **{n_semantic}** pieces of evidence, from recency **{n_recent}**."
    ties = "No two scores are tied."
    if n_tied:
        ties = f"{n_tied} share their score with another; ties go to similarity."
    right.markdown(f"{counts} {ties}")
    columns = st.columns([3, 4, 3])
    lists = {"semantic": ("By similarity", columns[0]), "recency": ("By recency", columns[2])}
    for channel, (label, column) in lists.items():
        with column:
            st.markdown(f"**{label}**")
            rows = pd.DataFrame(found[channel])[["rank", "title", "similarity"]]
            st.dataframe(rows, hide_index=True, column_config=FORMATS, alt=f"History items {label.lower()}")
    with columns[1]:
        st.markdown("**Merged: what the model reads**")
        places = [
            f"{CHANNELS[c]} {r}" for c, r in zip(merged["channel"], merged["channel_rank"], strict=True)
        ]
        names = ["rank", "title", "from", "score", "tied"]
        st.dataframe(
            merged.assign(**{"from": places})[names],
            hide_index=True,
            column_config=FORMATS,
            alt="Merged evidence with score parts",
        )
    alt = "How each piece of evidence moves from its rank in its channel to its rank in the merged list"
    messages.figure(
        rank_movement(found["semantic"], found["recency"], found["evidence"]),
        merged[["title", "channel", "channel_rank", "rank", "score"]],
        alt,
        "movement",
    )
    with st.expander("The prompt", icon=":material/notes:"):
        st.code(found["prompt"], language=None, wrap_lines=True)


entry.through_app("pages/rerank.py")
messages.opening(
    "Rerank",
    "Two channels choose the evidence: similarity to the item, and recency. What do alpha and beta do?",
)
run = pickers.finished_run("ChannelMerger")
left, right = st.columns(2)
with left:
    user = pickers.viewer(run)
past = cached.history(session.root(), run, user)
with right:
    last = str(past["item_id"].iloc[-1]) if len(past) else None
    item = pickers.item(pickers.titles_of(run), first=last, label="Would the viewer like")
seen = past[past["item_id"] == item]
if not item:
    st.info("Choose an item by its title.", icon=":material/info:")
if len(seen):
    st.caption(
        f"The viewer did rate it: {seen['rating'].iloc[0]:g}. Only what came before counts as history."
    )
if item:
    panel(run, user, item)
