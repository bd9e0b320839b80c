"""Embeddings: do behaviour and words agree about the items?"""

from __future__ import annotations

import streamlit as st

from pages.shared import agreement, cached, entry, map_jobs, messages, pickers, selection, session
from pages.shared.map_jobs import NAMES
from pages.shared.plain import plain
from rec_core.figures.embedding_map import embedding_map

COLOURS = {
    "genres": "First genre",
    "popularity": "Popularity",
    "year": "Year",
    "trust": "Trust in the place",
    "residual": "Words miss behaviour by",
}
METHODS = {"umap": "UMAP", "pca": "PCA"}
MAP_HEIGHT, ALONE_HEIGHT = 330, 520  # pixels
MANY = 12  # selected items shown by name


def maps(run: str, method: str, titles: dict[str, str]) -> None:
    """Draw the linked maps, one for each view of the run."""
    views = cached.views(session.root(), run)
    left, right = st.columns([3, 1])
    with left:
        item = pickers.item(titles, label="Selected item (type to search, or click a point)")
    colours = [name for name in COLOURS if name != "residual" or {"id", "aligned"} <= set(views)]
    colour = right.selectbox(
        "Colour by", colours, key=session.COLOUR, format_func=COLOURS.get, persist_state="session"
    )
    several = session.get(session.SELECTED) or []
    chosen = several if item in several else [item] if item else []
    widths = [*[10] * (len(views) - 1), 13]  # the last has the colour scale of all
    for column, view in zip(st.columns(widths), views, strict=True):
        frame = cached.item_map(session.root(), run, view, method)
        with column:
            drawing = embedding_map(frame, str(colour), selected=chosen, trust=True)
            drawing.update_layout(
                height=MAP_HEIGHT if len(views) > 1 else ALONE_HEIGHT,
                dragmode="pan",
                margin={"l": 0, "r": 0, "t": 0, "b": 0},
            )
            drawing.update_xaxes(visible=False).update_yaxes(visible=False)
            drawing.update_traces(marker_showscale=view == views[-1])
            st.markdown(f"**{NAMES[view]}**")
            st.plotly_chart(
                drawing,
                key=f"map-{view}",
                on_select=lambda v=view: selection.share(v, titles),
                selection_mode=("points", "box", "lasso"),
                config={"displaylogo": False, "scrollZoom": True},
                alt=f"{METHODS[method]} map of {NAMES[view]}; its {len(frame)} places are in the table",
            )
            st.caption(f"Mean trust {frame['trust'].mean():.2f}. Faint: do not trust this place.")
    if len(chosen) > 1:
        shown = ", ".join(titles[i] for i in chosen[:MANY]) + (" and more" if len(chosen) > MANY else "")
        st.caption(f"{len(chosen)} items are selected in all maps: {plain(shown)}")
    with st.expander("The maps as a table", icon=":material/table:"):
        view = st.segmented_control("View", views, default=views[-1], required=True, format_func=NAMES.get)
        alt = f"Places of all items in the map of {view}"
        st.dataframe(cached.item_map(session.root(), run, str(view), method), hide_index=True, alt=alt)
    if item:
        near(run, item, titles, views)
    else:
        st.caption(
            "Click a point, draw around some with the lasso, or search, to see the neighbours in each view."
        )


def near(run: str, item: str, titles: dict[str, str], views: list[str]) -> None:
    """Draw the neighbours of the selected item in each view's own space."""
    st.subheader(f"Nearest to {plain(titles[item])}", anchor=False)
    st.caption("By cosine in the views' own spaces, not on the maps.")
    found = {view: cached.neighbours(session.root(), run, view, item, 10) for view in views}
    for column, view in zip(st.columns(len(views)), views, strict=True):
        others = {other: set(found[other]["item_id"]) for other in views if other != view}
        also = [
            ", ".join(other for other, ids in others.items() if neighbour in ids)
            for neighbour in found[view]["item_id"]
        ]
        shown = found[view][["title", "similarity"]]
        if others:
            shown = shown.assign(also_in=also)
        formats = {
            "title": st.column_config.TextColumn("title", width=150),
            "similarity": st.column_config.NumberColumn("cosine", format="%.2f", width=56),
            "also_in": st.column_config.TextColumn("also in", width=90),
        }
        with column:
            alt = f"Nearest items in the {NAMES[view]} view"
            st.dataframe(shown, hide_index=True, column_config=formats, alt=alt)


entry.through_app("pages/embeddings.py")
messages.opening("Embeddings", "The items as behaviour, as words and as both see them: do the views agree?")
run = pickers.finished_run("EmbeddingSource")
method = st.segmented_control(
    "Map",
    list(METHODS),
    default="umap",
    required=True,
    format_func=METHODS.get,
    key=session.MAP,
    bind="query-params",
)
absent = map_jobs.missing(run, str(method))
if absent:
    map_jobs.make(run, str(method), absent)
else:
    maps(run, str(method), pickers.titles_of(run))
agreement.numbers(run)
