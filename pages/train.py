"""Train: set up a system, see what it will take, start it, watch it."""

from __future__ import annotations

import shlex
from typing import Any

import pandas as pd
import streamlit as st
import yaml

from pages.shared import entry, forms, job_monitor, messages, pickers, session
from pages.shared.plain import unlinked
from rec_core import jobs
from rec_core.workbench import config_of, new_run, preflight, runs, systems

PRESETS = {
    "tiny": "Small and short, on any machine; to see how everything works.",
    "small": "A fair try on a CPU; to compare ideas.",
    "paper": "The settings of the system's paper, for its data and its hardware.",
}


def choose() -> tuple[str, str, int]:
    """Let system, preset and seed be chosen."""
    cards = {card.name: card for card in systems()}
    left, middle, right = st.columns([2, 2, 1])
    name = left.selectbox("System", list(cards), format_func=lambda n: cards[n].title, key="train-system")
    preset = middle.segmented_control(
        "Preset", list(PRESETS), default="tiny", required=True, key="train-preset", persist_state="session"
    )
    seed = right.number_input("Seed", 0, 2**31 - 1, 0, key="train-seed", persist_state="session")
    st.caption(f"{cards[name].paper}. {cards[name].hardware}")
    st.caption(PRESETS[str(preset)])
    return str(name), str(preset), int(seed)


def the_same_elsewhere(system: str, data: str, preset: str, changed: dict[str, Any], seed: int) -> None:
    """Show the run as a command, as YAML and as Python."""
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in changed.items()}
    words = [f"--set {shlex.quote(f'{name}={yaml_value(value)}')}" for name, value in plain.items()]
    start = f"python -m rec_core train {system} --data {data} --preset {preset} --seed {seed}"
    command = " ".join([start, *words])
    arguments = f'"{system}", "{data}", "{preset}", overrides={plain!r}, seed={seed}'
    with st.expander("The same as a command, as YAML, as Python", icon=":material/terminal:"):
        shell, text, python = st.tabs(["Command", "YAML", "Python"])
        shell.code(command, language="shell", wrap_lines=True)
        config = config_of(system, preset, changed, data).model_dump(mode="json")
        text.code(yaml.safe_dump(config, sort_keys=False), language="yaml", height=300)
        python.code(f"from rec_core import workbench\n\nworkbench.train({arguments})", wrap_lines=True)


def yaml_value(value: Any) -> str:
    """Return a value as YAML on one line."""
    return yaml.safe_dump(value, default_flow_style=True, width=10_000).removesuffix("...\n").strip()


def memory(system: str, data: str, preset: str, changed: dict[str, Any]) -> None:
    """Draw what the run will need."""
    needs = preflight(system, data, preset, changed, workspace=session.workspace())
    words = f"About {needs['total_mb']:,.0f} MB of memory; {needs['available_mb']:,.0f} MB are free here."
    if needs["ok"]:
        st.success(words, icon=":material/memory:")
    else:
        st.warning(
            f"{words} It will not fit: take a smaller preset or close other programs.",
            icon=":material/memory:",
        )
    with st.expander("What the estimate is made of", icon=":material/calculate:"):
        shown = {"mb": st.column_config.NumberColumn("MB", format="%.0f")}
        alt = "Memory by part of the run"
        st.dataframe(pd.DataFrame(needs["rows"]), hide_index=True, column_config=shown, alt=alt)


def settings(system: str, data: str, preset: str) -> dict[str, Any]:
    """Draw the method, where a system has several, and its fields as published; return what differs."""
    begun = config_of(system, preset, None, data)
    by_data = f".{data}" if preset == "paper" else ""
    key = f"{system}.{preset}{by_data}"
    if not begun.variant:
        return forms.form(begun, key)
    chosen = forms.form(begun, key, only=begun.variant)
    base = config_of(system, preset, chosen, data)
    method = base.value(base.variant)
    return chosen | forms.form(base, f"{key}.{method}", without=base.variant)


def set_up() -> None:
    """Draw the way from a system to a started run."""
    data = pickers.dataset_here()
    system, preset, seed = choose()
    st.markdown(f"On **{data}** (the dataset of the sidebar), with these settings:")
    with st.container(border=True):
        changed = settings(system, data, preset)
    if changed:
        st.caption(unlinked("Changed: " + ", ".join(f"{name} = {value}" for name, value in changed.items())))
    with messages.shown():
        config_of(system, preset, changed, data)
        the_same_elsewhere(system, data, preset, changed, seed)
        memory(system, data, preset, changed)
        if st.button("Start training", type="primary", icon=":material/play_arrow:"):
            run = new_run(system, data, preset, changed, seed, workspace=session.workspace())
            place = jobs.enqueue(session.workspace(), run)
            session.tell_later(f"{run} {'has started' if place == 0 else f'is number {place} in line'}.")
            st.rerun()


def at_work() -> None:
    """Draw every run that is live or was interrupted, and on demand the chosen one."""
    space = session.workspace()
    made = runs(workspace=space)
    names = made[made["state"] != "done"]["run"].tolist()
    if not names:
        st.caption(
            "Nothing is being trained. A run appears here once it starts, and goes on without this window."
        )
    for name in names:
        job_monitor.watch(name, name, again=lambda run=name: jobs.enqueue(space, run))
    done = made[made["state"] == "done"]["run"].tolist()
    if done:
        with st.expander("How a finished run went", icon=":material/history:"):
            name = st.selectbox("Finished run", done, key="train-look-back")
            job_monitor.watch(str(name), str(name))


entry.through_app("pages/train.py")
messages.opening("Train", "Set a system up, see what it will take, start it, and watch it learn.")
st.subheader("At work", anchor=False)
at_work()
st.subheader("A new run", anchor=False)
set_up()
