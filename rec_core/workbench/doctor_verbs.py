"""The verb `doctor`: is this machine ready, and if not, what to do."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import tempfile
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from rec_core.data.sources import EMBEDDED, SOURCES
from rec_core.store import PROJECT_ROOT, Workspace

PYTHON = (3, 11)
FREE_DISK_GB, FREE_MEMORY_GB = 2.0, 2.0
REQUIREMENTS = PROJECT_ROOT / "requirements.txt"

Row = dict[str, Any]


def doctor(*, workspace: Workspace | None = None) -> list[Row]:
    """Return one row per check: check, ok, detail, mend ("" when there is nothing to mend).

    What is only optional (a GPU, bitsandbytes, ROSETTA_DATA) is ok when absent; its row says what that means.
    """
    space = workspace or Workspace.from_environment()
    checks: tuple[Callable[[], Row], ...] = (
        _python,
        _packages,
        _gpu,
        _threads,
        _bitsandbytes,
        lambda: _folder("workspace", space.root, "ROSETTA_WORKSPACE", space.read_only),
        lambda: _folder("cache", space.root / "cache", "ROSETTA_WORKSPACE", space.read_only),
        lambda: _disk(space.root),
        _memory,
        _raw_data,
        _offline,
    )
    return [check() for check in checks]


def _row(check: str, ok: bool, detail: str, mend: str = "") -> Row:
    return {"check": check, "ok": ok, "detail": detail, "mend": mend}


def _python() -> Row:
    wanted = ".".join(map(str, PYTHON))
    found = platform.python_version()
    if tuple(map(int, platform.python_version_tuple()[:2])) >= PYTHON:
        return _row("python", True, found)
    return _row(
        "python", False, found, f"Install Python {wanted} or newer and make a new virtual environment."
    )


def _packages() -> Row:
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.version import Version

    if not REQUIREMENTS.exists():
        return _row("packages", True, f"Not compared: there is no {REQUIREMENTS.name} beside the package.")
    wrong, n_pins = [], 0
    for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines():
        try:
            wanted = Requirement(line.split("#", 1)[0].strip())
        except InvalidRequirement:
            continue  # an option of pip, a comment or an empty line
        if wanted.marker is not None and not wanted.marker.evaluate():
            continue
        n_pins += 1
        try:
            found = Version(version(wanted.name))
        except PackageNotFoundError:
            wrong.append(f"{wanted.name} is missing (wanted {wanted.specifier})")
            continue
        if not wanted.specifier.contains(found, prereleases=True):
            wrong.append(f"{wanted.name} is {found} (wanted {wanted.specifier})")
    if wrong:
        return _row("packages", False, "; ".join(wrong), f"Run: pip install -r {REQUIREMENTS.name}")
    return _row("packages", True, f"All {n_pins} packages are as {REQUIREMENTS.name} wants them.")


def _gpu() -> Row:
    try:
        import torch

        if torch.cuda.is_available():
            memory = torch.cuda.get_device_properties(0).total_memory / 2**30
            return _row("gpu", True, f"{torch.cuda.get_device_name(0)}, {memory:.0f} GiB")
    except (ImportError, OSError, RuntimeError) as error:
        return _row(
            "gpu", False, f"torch cannot be used: {error}", f"Run: pip install -r {REQUIREMENTS.name}"
        )
    return _row("gpu", True, "None seen; everything runs on the CPU, large language models slowly.")


def _threads() -> Row:
    cores = os.cpu_count() or 1
    given = os.environ.get("OMP_NUM_THREADS", "")
    detail = f"{cores} cores, OMP_NUM_THREADS {given or 'not set'}"
    if given and not (given.isdigit() and 1 <= int(given) <= cores):
        return _row(
            "threads", False, detail, f"Set OMP_NUM_THREADS to a number from 1 to {cores}, or unset it."
        )
    return _row("threads", True, detail)


def _bitsandbytes() -> Row:
    if importlib.util.find_spec("bitsandbytes") is None:
        detail = "Not installed; 8-bit and 4-bit models are loaded in full precision instead."
        return _row("bitsandbytes", True, detail, "For smaller models in memory: pip install bitsandbytes")
    return _row(
        "bitsandbytes", True, f"{version('bitsandbytes')} is installed; 8-bit and 4-bit models go through it."
    )


def _folder(check: str, path: Path, variable: str, read_only: bool) -> Row:
    if read_only:
        return _row(check, True, f"{path} is used read-only (ROSETTA_READONLY=1).")
    nearest = _nearest(path)
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        mend = f"Make {nearest} writable, or set {variable} to a folder that is."
        return _row(check, False, f"{path} cannot be written: {error.strerror}", mend)
    return _row(check, True, str(path) if path == nearest else f"{path} (made at first use)")


def _disk(path: Path) -> Row:
    free = shutil.disk_usage(_nearest(path)).free / 2**30
    ok = free >= FREE_DISK_GB
    mend = "" if ok else f"Free at least {FREE_DISK_GB:.0f} GiB, or set ROSETTA_WORKSPACE to another disk."
    return _row("disk", ok, f"{free:.1f} GiB free", mend)


def _memory() -> Row:
    memory = psutil.virtual_memory()
    free = memory.available / 2**30
    ok = free >= FREE_MEMORY_GB
    mend = (
        "" if ok else f"Close other programs until {FREE_MEMORY_GB:.0f} GiB are free, or use the preset tiny."
    )
    return _row("memory", ok, f"{free:.1f} of {memory.total / 2**30:.1f} GiB free", mend)


def _raw_data() -> Row:
    given = os.environ.get("ROSETTA_DATA")
    if not given:
        return _row("raw data", True, "ROSETTA_DATA is not set; MovieLens is downloaded when asked for.")
    folder = Path(given)
    if not folder.is_dir():
        mend = "Set ROSETTA_DATA to a folder with archives such as ml-1m.zip, or unset it."
        return _row("raw data", False, f"ROSETTA_DATA names {given}, which is no folder.", mend)
    names = sorted({_archive_of(name) for name in SOURCES if name != EMBEDDED})
    found = [name for name in names if (folder / name).is_dir() or (folder / f"{name}.zip").is_file()]
    return _row("raw data", True, f"{folder} has {', '.join(found) or 'none of ' + ', '.join(names)}.")


def _archive_of(name: str) -> str:
    """Return what a source's folder or archive is called: some archives hold several datasets."""
    return str(getattr(import_module(SOURCES[name].partition(":")[0]), "ARCHIVE", name))


def _offline() -> Row:
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "YES", "ON"):
        return _row("model hub", True, "HF_HUB_OFFLINE is set: language models come from this machine only.")
    return _row(
        "model hub", True, "Language models given by name may be downloaded (HF_HUB_OFFLINE=1 forbids it)."
    )


def _nearest(path: Path) -> Path:
    """Return the path, or its nearest parent that exists."""
    return path if path.exists() else _nearest(path.parent)
