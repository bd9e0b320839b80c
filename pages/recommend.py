"""Recommend: why this one, and what if that had not been in the history?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.shared import cached, entry, messages, pickers, reasons, session
from pages.shared.plain import plain

CHANNELS = {"semantic": "similar", "recency": "recent"}
N_CARDS = 10


def viewer(run: str) -> str:
    """Let a viewer be picked and show the history."""
    user = pickers.viewer(run)
    past = cached.history(session.root(), run, user)
    with st.expander(f"History: {len(past)} items", icon=":material/history:"):
        newest = past.iloc[::-1][["title", "rating", "item_id"]]
        st.dataframe(newest, hide_index=True, height=280, alt="The viewer's history, newest first")
    return user


def composed(titles: dict[str, str], most: float) -> tuple[tuple[str, float], ...]:
    """Let a history be put together; return (item id, rating up to `most`) pairs, oldest first."""
    chosen: list[tuple[str, float]] = list(session.get(session.COMPOSED) or [])
    left, middle, right = st.columns([5, 2, 1], vertical_alignment="bottom")
    item = left.selectbox(
        "Add", list(titles), format_func=titles.get, key="compose-item", filter_mode="contains"
    )
    rating = middle.slider("Rated", 0.0, most, most, 0.5, key="compose-rating")
    if right.button("Add", icon=":material/add:"):
        session.put(session.COMPOSED, [*chosen, (str(item), float(rating))])
        st.rerun()
    for number, (one, stars) in enumerate(chosen):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(f"{titles.get(one, one)}, rated {stars:g}")
            if st.button("Remove", key=f"compose-{number}", icon=":material/close:", type="tertiary"):
                session.put(session.COMPOSED, chosen[:number] + chosen[number + 1 :])
                st.rerun()
    return tuple(pair for pair in chosen if pair[0] in titles)


def card(item: dict[str, Any], opened: bool, scale: str) -> None:
    """Draw one recommendation, its score as a probability or as the number that orders the list."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.text(f"{item['rank']}. {item['title']}")
            label, icon = ("Shown", ":material/visibility:") if opened else ("Why?", ":material/help:")
            if st.button(label, key=f"why-{item['item_id']}", icon=icon, type="tertiary", disabled=opened):
                session.put(session.OPENED, item["item_id"])
                st.rerun()
        if scale == "probability":
            st.progress(min(1.0, max(0.0, item["score"])), text=f"P(like) {item['score']:.1%}")
        else:
            st.caption(f"Score {item['score']:.4g}")
        liked = sorted(item["evidence"], key=lambda e: -e["score"])[:2]
        if liked:
            st.caption("With: " + "; ".join(f"{plain(e['title'])}{channel(e, item)}" for e in liked))


def channel(piece: dict[str, Any], item: dict[str, Any]) -> str:
    """Return which channel brought a piece of evidence, "" where all come from one."""
    several = len({other["channel"] for other in item["evidence"]}) > 1
    return f" ({CHANNELS[piece['channel']]})" if several else ""


def draw(run: str, user: str | None, pairs: tuple[tuple[str, float], ...]) -> None:
    """Draw the cards, and the reasons of the opened one beside them."""
    found = cached.recommendations(session.root(), run, user, pairs, N_CARDS)
    items = found["items"]
    if not items:
        st.info("There is nothing unseen left to recommend.")
        return
    opened = next((item for item in items if item["item_id"] == session.get(session.OPENED)), items[0])
    left, right = st.columns([2, 3])
    with left, st.container(height=880, border=False):
        for item in items:
            card(item, item is opened, found["scale"])
    with right, st.container(border=True):
        st.markdown("**Why**")
        st.text(opened["title"])
        reasons.why(run, user, pairs, opened)


entry.through_app("pages/recommend.py")
messages.opening("Recommend", "Ten unseen items for somebody, and why these.")
run = pickers.finished_run("Recommender", "Scorer")
ways = {"viewer": "A viewer of the dataset", "composed": "A history of my own"}
way = st.segmented_control(
    "For whom",
    list(ways),
    default="viewer",
    required=True,
    format_func=ways.get,
    key=session.VIEW,
    bind="query-params",
)
with messages.shown():
    if way == "viewer":
        draw(run, viewer(run), ())
    elif pairs := composed(pickers.titles_of(run), pickers.max_rating(run)):
        draw(run, None, pairs)
    else:
        st.info("Add what somebody has seen, oldest first; the recommendations follow at once.")
