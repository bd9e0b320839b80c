"""The sliders of equation 8: they start at the run's own values, and hold them although a step cannot."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from pages.shared import pickers, session

MOST = 50  # rows that two lists side by side can show
LEAST_BETA, MOST_BETA = 0.1, 10.0
ORDERS = {"score": "score", "chronological": "time"}


class Settings(NamedTuple):
    """What decides which evidence the language model reads, and in which order."""

    alpha: float
    beta: float
    top_k: int
    order: str


def choose(run: str) -> Settings:
    """Draw the sliders, and say whether they stand where Recommend reads with this run."""
    known = pickers.reranker(run)
    own = Settings(known["alpha"], known["beta"], known["top_k"], known["order"])
    columns = st.columns([3, 3, 2, 2])
    near = round(own.alpha, 2)
    alpha = columns[0].slider(
        "alpha: weight of similarity", 0.0, 1.0, near, 0.01, key=session.ALPHA, bind="query-params",
        help="Recency gets 1 - alpha. 1: the order by similarity alone, 0: by recency alone; 0.67 means 2/3.",
    )  # fmt: skip
    alpha = {0.67: 2 / 3, near: own.alpha}.get(round(alpha, 2), alpha)
    near = min(max(round(own.beta, 1), LEAST_BETA), MOST_BETA)
    beta = columns[1].slider(
        "beta: fall of weight with rank", LEAST_BETA, MOST_BETA, near, 0.1, key=session.BETA,
        bind="query-params", help="An item at rank r of its channel scores weight / r ** beta.",
    )  # fmt: skip
    beta = own.beta if round(beta, 1) == near else beta
    most = min(MOST, own.top_k)
    top_k = columns[2].number_input("Items shown, K", 1, MOST, most, key="rerank-k", persist_state="session")
    first = list(ORDERS).index(own.order)
    order = columns[3].selectbox("Order in the prompt", list(ORDERS), first, key="rerank-order")
    chosen = Settings(alpha, beta, int(top_k), str(order))
    told = f"The run's own: alpha {own.alpha:.3g}, beta {own.beta:g}, K {own.top_k}, by {ORDERS[own.order]}"
    st.caption(f"{told}, as set now." if chosen == own else f"{told}; Recommend reads with these.")
    return chosen
