"""The app: pages and the shared sidebar. Start it with `streamlit run app.py`."""

from __future__ import annotations

import streamlit as st

from pages.shared import entry, pickers
from pages.shared.messages import shown

PAGES = {
    "": [st.Page("pages/home.py", title="Home", icon=":material/home:", default=True)],
    "Prepare": [
        st.Page("pages/data.py", title="Data", icon=":material/database:"),
        st.Page("pages/train.py", title="Train", icon=":material/model_training:"),
        st.Page("pages/runs.py", title="Runs", icon=":material/stacks:"),
        st.Page("pages/reproduce.py", title="Reproduce", icon=":material/science:"),
    ],
    "Look inside": [
        st.Page("pages/embeddings.py", title="Embeddings", icon=":material/scatter_plot:"),
        st.Page("pages/rerank.py", title="Rerank", icon=":material/swap_vert:"),
        st.Page("pages/recommend.py", title="Recommend", icon=":material/recommend:"),
        st.Page("pages/bias.py", title="Bias", icon=":material/balance:"),
    ],
}

st.set_page_config(page_title="Rosetta", page_icon="pages/shared/mark.svg", layout="wide")
st.logo("pages/shared/wordmark.svg", icon_image="pages/shared/mark.svg", size="large")
page = st.navigation(PAGES)
entry.lead_on()
with shown():
    pickers.sidebar()
with shown(), entry.inside():
    page.run()
