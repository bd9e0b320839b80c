"""What every alpha and beta does: to the evidence, and to the validation AUC once that is measured."""

from __future__ import annotations

import streamlit as st

from pages.shared import cached, job_monitor, messages, session
from rec_core import jobs
from rec_core.figures.alpha_beta_heatmap import alpha_beta_heatmap

MEASURES = {
    "text_cosine": "Closeness of the evidence to the item (higher is closer)",
    "age": "Age of the evidence in history items (lower is newer)",
    "semantic_share": "Share of the evidence that similarity brought",
    "label_agreement": "Share of the evidence liked as the item was (higher says more)",
    "auc": "Validation AUC (higher is better)",
}


def draw(run: str, alpha: float, beta: float) -> None:
    """Draw a measure over all alpha and beta, with the current point."""
    st.subheader("The whole plane", anchor=False)
    measure = st.segmented_control(
        "Measure",
        list(MEASURES),
        default="text_cosine",
        required=True,
        format_func=MEASURES.get,
        key="rerank-measure",
    )
    if measure == "auc":
        accuracy(run, alpha, beta)
        return
    table = cached.surface(session.root(), run)
    alt = f"{MEASURES[str(measure)]} over alpha and beta; the current point is alpha {alpha}, beta {beta}"
    drawing = alpha_beta_heatmap(table, str(measure), alpha, beta)
    messages.figure(drawing, table[["alpha", "beta", str(measure)]], alt, "plane")


def accuracy(run: str, alpha: float, beta: float) -> None:
    """Draw the validation AUC over all alpha and beta, or offer to measure it."""
    name = f"surface-{run}"
    state = job_monitor.state_of(name)
    table = cached.auc_surface(session.root(), run)
    if table is not None:
        drawing = alpha_beta_heatmap(table, "auc", alpha, beta)
        alt = f"Validation AUC over alpha and beta; now at alpha {alpha}, beta {beta}"
        messages.figure(drawing, table, alt, "auc-plane")
        st.caption(
            "500 validation questions, the same at every point. The highest may be luck: look for a region."
        )
        return

    def start() -> None:
        jobs.enqueue_command(session.workspace(), name, ["surface", run, "--auc", "--json"])

    if state not in job_monitor.LIVE:
        st.caption("The model reads 500 questions at 66 points; equal prompts are read once. Some minutes.")
        if st.button("Measure it", icon=":material/play_arrow:", key="measure-auc"):
            start()
            st.rerun()
    if state != "absent":
        job_monitor.watch(name, "AUC of every alpha and beta", again=start)
