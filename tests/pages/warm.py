"""AppTest forgets at every run that app.py has called st.navigation; a server does not."""

import pytest
from streamlit.runtime.pages_manager import PagesManager


def keep_navigation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let AppTest treat pages/ as a server does once app.py has run."""
    make = PagesManager.__init__

    def make_warm(self, *args, **kwargs):
        make(self, *args, **kwargs)
        PagesManager.uses_pages_directory = False

    monkeypatch.setattr(PagesManager, "__init__", make_warm)
