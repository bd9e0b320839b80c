"""Reproduce: do the papers hold here?"""

from __future__ import annotations

from inspect import signature
from typing import Any

import pandas as pd
import streamlit as st

from pages.shared import entry, job_monitor, messages, pickers, session, study_result
from pages.shared.plain import unlinked
from rec_core import jobs
from rec_core.studies import STUDIES, StudyCard

PRESETS = ("tiny", "small", "paper")


def chosen() -> StudyCard:
    """Draw the choice of a study and return it."""
    name = st.selectbox(
        "Study", list(STUDIES), format_func=lambda key: STUDIES[key].title, key="reproduce-study"
    )
    card = STUDIES[str(name)]
    st.markdown(f"**{card.question}**")
    st.caption(unlinked(card.paper))
    return card


def begin(card: StudyCard, data: str) -> None:
    """Draw what the study can be told, and start it as a job."""
    takes = signature(_run_of(card)).parameters
    argv = ["study", card.name, "--data", data, "--json"]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if "preset" in takes:
            default = PRESETS.index(takes["preset"].default)
            preset = st.selectbox("Preset", PRESETS, index=default, key=f"preset-{card.name}")
            argv += ["--preset", str(preset)]
        if "seeds" in takes:
            seeds = st.number_input("Seeds", 1, 20, takes["seeds"].default, key=f"seeds-{card.name}")
            argv += ["--seeds", str(int(seeds))]
        if "backbone" in takes:
            backbone = st.text_input(
                "Language model",
                key=f"backbone-{card.name}",
                placeholder="the preset's own",
                help="A Hugging Face name or a folder.",
            )
            argv += ["--backbone", backbone] if backbone.strip() else []
    st.caption(
        "Runs that are missing are trained first, those that are there are used again; a study that was "
        "stopped goes on where it was. On two cores: minutes with the tiny preset, hours with larger ones."
    )
    name = f"study-{card.name}-{data}"

    def start() -> None:
        jobs.enqueue_command(session.workspace(), name, argv)

    state = job_monitor.state_of(name)
    if state not in job_monitor.LIVE and st.button("Run the study", icon=":material/play_arrow:"):
        start()
        st.rerun()
    if state not in ("absent", "done"):
        job_monitor.watch(name, card.title, again=start)


def quirks() -> None:
    """List the known defects of published code that can be switched on."""
    from rec_core.studies.rallrec_quirks import WHAT_IT_DOES

    with st.expander("Known defects of published code, as switches", icon=":material/bug_report:"):
        st.dataframe(
            pd.DataFrame(WHAT_IT_DOES.items(), columns=["switch", "what it does"]),
            hide_index=True,
            alt="Every switch and what it does",
        )
        st.caption("The study of these defects measures each; `quirks` of a system switches them on.")


def _run_of(card: StudyCard) -> Any:
    from importlib import import_module

    return import_module(card.module).run


entry.through_app("pages/reproduce.py")
messages.opening("Reproduce", "Do the papers hold here?")
card = chosen()
data = pickers.dataset_here()
with messages.shown():
    begin(card, data)
study_result.draw(card, data)
quirks()
