"""Data: what is in this dataset?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.shared import cached, entry, job_monitor, messages, pickers, row_filter, session, uploads
from pages.shared.plain import unlinked
from rec_core import jobs
from rec_core.figures.history_lengths import history_lengths
from rec_core.figures.popularity_curve import popularity_curve
from rec_core.workbench import datasets, import_table

TYPES = ["csv", "tsv", "txt", "parquet", "inter", "item", "user", "zip"]
SPLITS = {"global_time": "By time: 80 / 10 / 10", "leave_one_out": "Leave each user's last out"}
AT_RANDOM = "By user at random: 80 / 10 / 10"
ASKED = {
    "every_rating": "every rating with enough earlier ones of its user",
    "last_of_user": "the last rating of each user with enough others; their order is random",
}
LABELS = {"users": "Users", "items": "Items", "interactions": "Interactions"}


def contents() -> None:
    """Draw counts, curves and text coverage of the chosen dataset."""
    name = pickers.dataset_here()
    facts = cached.description(session.root(), name, cached.stamp(session.workspace(), name))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(name, anchor=False)
        if facts["simulated"]:
            st.badge("simulated viewers", icon=":material/science:", color="violet")
    st.caption(unlinked(f"{facts['source']} Licence: {facts['licence']}"))
    columns = st.columns(5)
    for column, (key, label) in zip(columns, LABELS.items(), strict=False):
        column.metric(label, f"{facts[key]:,}", border=True)
    columns[3].metric("Density", f"{facts['density']:.2%}", border=True)
    columns[4].metric("Median history", f"{facts['history_length']['median']:g}", border=True)
    left, right = st.columns(2)
    popularity = pd.DataFrame({"interactions": facts["popularity"]})
    popularity.insert(0, "rank", range(1, len(popularity) + 1))
    lengths = pd.DataFrame(facts["history_length"].items(), columns=["quantile", "interactions"])
    with left:
        alt = "Interactions per item, most popular first"
        messages.figure(popularity_curve(facts["popularity"]), popularity, alt, "popularity")
    with right:
        alt = "History lengths of users: smallest, quartiles, largest"
        messages.figure(history_lengths({"all users": facts["history_length"]}), lengths, alt, "lengths")
    coverage = ", ".join(f"{name} {share:.0%}" for name, share in facts["text_coverage"].items())
    st.markdown(f"**Items that have a text:** {coverage}")
    st.markdown(f"**Like questions are about** {ASKED[facts['questions']]}")
    if facts["time_range"]:
        st.markdown(f"**From** {facts['time_range'][0]} **to** {facts['time_range'][1]}")
    for note in facts["notes"]:
        st.caption(unlinked(note))
    with st.expander("The items", icon=":material/list:"):
        stamp = cached.stamp(session.workspace(), name)
        st.dataframe(
            cached.items(session.root(), name, stamp), hide_index=True, alt="The items of the dataset"
        )


def split() -> None:
    """Draw the sizes of a split and whether anything leaks."""
    name = pickers.dataset_here()
    stamp = cached.stamp(session.workspace(), name)
    shuffled = cached.description(session.root(), name, stamp)["questions"] == "last_of_user"
    labels = SPLITS | ({"global_time": AT_RANDOM} if shuffled else {})
    left, right = st.columns(2)
    kind = left.segmented_control(
        "Split", list(labels), default="global_time", format_func=labels.get, required=True, key="split-kind"
    )
    shortest = right.number_input("Earlier items a question needs", 1, 100, 5, disabled=kind != "global_time")
    found = cached.split(session.root(), name, stamp, str(kind), int(shortest))
    st.metric("Rows kept", f"{found['kept']:,}", f"{-found['dropped']:,} left out", delta_color="off")
    parts = pd.DataFrame([{"part": part, **sizes} for part, sizes in found["parts"].items()])
    st.dataframe(parts, hide_index=True, alt="Rows, users and items of each part")
    for leak in found["leaks"]:
        icon, colour = (":material/check_circle:", "green") if leak["ok"] else (":material/warning:", "red")
        st.markdown(f"{icon} :{colour}[{leak['check']}]: {unlinked(leak['detail'])}")
    with st.expander("Keep only those with enough rows (k-core)", icon=":material/filter_alt:"):
        row_filter.keep_a_part(name)


def fetch() -> None:
    """Offer the built-in datasets that are not here yet."""
    known = datasets(workspace=session.workspace())
    st.write(
        "MovieLens is looked for in the folder ROSETTA_DATA first, as `ml-1m.zip` or `ml-1m/` and so on, and "
        "otherwise downloaded from GroupLens."
    )
    for name, here in zip(known["name"], known["imported"], strict=True):
        if here:
            st.markdown(f":material/check: `{name}` is here")
            continue
        job, argv = f"fetch-{name}", ["data", "describe", name]
        if job_monitor.state_of(job) == "absent":
            if st.button(f"Get {name}", key=job, icon=":material/download:"):
                jobs.start_command(session.workspace(), job, argv)
                st.rerun()
        else:
            job_monitor.watch(job, name, lambda j=job, a=argv: jobs.start_command(session.workspace(), j, a))


def bring() -> None:
    """Take a person's own tables."""
    st.write(
        "A table of interactions (who, what, and if known how good and when), and if you have one, of items."
    )
    left, middle, right = st.columns(3)
    log = left.file_uploader("Interactions", TYPES, key="upload-log")
    items = middle.file_uploader("Items (titles, years, descriptions)", TYPES, key="upload-items")
    users = right.file_uploader("Users (attributes)", TYPES, key="upload-users")
    if log is None:
        st.caption("CSV, TSV, parquet, a RecBole atomic file, or a zip with one of them.")
        return
    shown = uploads.preview(log)
    st.dataframe(shown, hide_index=True, alt="The first rows of the file")
    mapping = uploads.mapping(list(shown.columns), uploads.OURS, "log")
    if items is not None:
        shown = uploads.preview(items)
        st.dataframe(shown, hide_index=True, alt="The first rows of the items file")
        mapping |= uploads.mapping(list(shown.columns), uploads.ITEM_COLUMNS, "items")
    name = st.text_input("Name it", log.name.partition(".")[0].replace(" ", "-"), key="upload-name")
    if st.button("Import", type="primary", icon=":material/upload:"):
        with st.spinner("Checking every row"), uploads.as_files(log, items, users) as files:
            facts = import_table(
                files[0], name, files[1], files[2], mapping or None, workspace=session.workspace()
            )
        session.tell_later(
            f"{name} is here: {facts['interactions']:,} interactions. Choose it in the sidebar."
        )
        st.rerun()


entry.through_app("pages/data.py")
messages.opening("Data", "What is in this dataset, and can it be trusted for a test?")
views = {"Contents": contents, "Split": split, "Get MovieLens": fetch, "Bring your own": bring}
chosen = st.segmented_control(
    "Part", list(views), default="Contents", required=True, key="data-part", label_visibility="collapsed"
)
with messages.shown():
    views[str(chosen)]()
