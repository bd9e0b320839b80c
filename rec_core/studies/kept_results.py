"""Results of studies, kept in the workspace so that pages and notebooks show them without a second run."""

from __future__ import annotations

from typing import Any

from rec_core.store import Workspace, content_hash, read_json, write_json

_FOLDER = "studies"


def keep_result(result: dict[str, Any], settings: dict[str, Any], workspace: Workspace) -> None:
    """Write a study's result; one with the same study, data and settings is replaced.

    Args:
        result: what a study's `run` returned: study, data, rows and more.
        settings: what it was asked with (preset, seeds, backbone, ...), as JSON-able values.
        workspace: where it is kept.
    """
    workspace.check_writable()
    key = content_hash(result["study"], result["data"], settings)
    path = workspace.root / _FOLDER / f"{result['study']}-{result['data']}-{key}.json"
    write_json(path, {**result, "settings": settings})


def kept_results(study: str, data: str, workspace: Workspace) -> list[dict[str, Any]]:
    """Return the kept results of a study on a dataset, the newest first; each has `settings` and `file`."""
    files = (workspace.root / _FOLDER).glob(f"{study}-{data}-*.json")
    newest = sorted(files, key=lambda file: file.stat().st_mtime_ns, reverse=True)
    found = [{**read_json(file), "file": file.name} for file in newest]
    return [result for result in found if (result["study"], result["data"]) == (study, data)]
