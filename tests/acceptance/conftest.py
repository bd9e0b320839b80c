"""One sample workspace for the whole session, built by the command line."""

from __future__ import annotations

import time

import pytest

from tests.acceptance.commands import Sample, command


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """Build the sample once."""
    workspace = tmp_path_factory.mktemp("sample-workspace")
    started = time.monotonic()
    document = command(workspace, "sample", "build")
    return Sample(workspace, document["runs"][-1], time.monotonic() - started)
