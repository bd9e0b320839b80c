"""The workspace: where datasets, runs and content-hashed artefacts live, written atomically.

Layout: `datasets/<name>/`, `runs/<run id>/`, `cache/<kind>/<content hash>/`. Tensors are safetensors, tables
parquet, the rest JSON or YAML; nothing is ever pickled.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rec_core.processes import is_main, share, wait_for_everyone
from rec_core.types import InputError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
PROJECT_ROOT = Path(__file__).resolve().parent.parent


class Workspace:
    """A folder that holds everything worth keeping.

    `read_only` (environment ROSETTA_READONLY=1) refuses every write.
    """

    def __init__(self, root: Path, read_only: bool = False) -> None:
        self.root = root
        self.read_only = read_only

    @classmethod
    def from_environment(cls) -> Workspace:
        """Open ROSETTA_WORKSPACE, or `workspace/` beside app.py."""
        root = Path(os.environ.get("ROSETTA_WORKSPACE") or PROJECT_ROOT / "workspace")
        return cls(root.resolve(), read_only=os.environ.get("ROSETTA_READONLY") == "1")

    def dataset_path(self, name: str) -> Path:
        """Return the folder of a dataset (which may not exist yet)."""
        return self.root / "datasets" / check_name(name, "dataset")

    def run_path(self, run_id: str) -> Path:
        """Return the folder of a run (which may not exist yet)."""
        return self.root / "runs" / check_name(run_id, "run")

    def tuning_path(self, name: str) -> Path:
        """Return the folder of a tuning (which may not exist yet)."""
        return self.root / "tunings" / check_name(name, "tuning")

    def names(self, kind: str) -> list[str]:
        """Return the names in `kind` ("datasets" or "runs"), sorted; half-written folders are not listed."""
        folder = self.root / kind
        if not folder.is_dir():
            return []
        return sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))

    def cached(self, kind: str, key: Any, build: Callable[[Path], None]) -> Path:
        """Return the folder of an artefact, built once: `build` fills a temporary folder that is renamed.

        Of several processes all must call it, and each calls `build`; the main one writes (see `new_folder`).

        Args:
            kind: what it is ("text_embeddings", "sample_lm", ...).
            key: everything it depends on, as JSON-able values; its hash is the folder's name.
            build: writes the artefact's files into the folder it is given.
        """
        path = self.cache_path(kind, key)
        if not share(path.is_dir()):
            self.check_writable()
            with new_folder(path) as temporary:
                build(temporary)
                if is_main():
                    write_json(temporary / "key.json", key)
        return path

    def cache_path(self, kind: str, key: Any) -> Path:
        """Return where `cached` keeps the artefact of this key."""
        return self.root / "cache" / check_name(kind, "cache") / content_hash(key)

    def check_writable(self) -> None:
        """Raise `InputError` when the workspace must not be changed."""
        if self.read_only:
            raise InputError(f"The workspace {self.root} is read-only; unset ROSETTA_READONLY to change it.")


def check_name(name: str, kind: str) -> str:
    """Return `name` when it is safe as a file name.

    Raises:
        InputError: it is empty, too long, or has anything but letters, digits, ".", "_" and "-".
    """
    if not _NAME.fullmatch(name) or ".." in name:
        raise InputError(
            f"{name!r} cannot be the name of a {kind}; use letters, digits, '.', '_' and '-', starting with "
            "a letter or digit."
        )
    return name


def content_hash(*parts: Any, length: int = 16) -> str:
    """Return a hexadecimal digest of JSON-able values, numpy arrays, strings and bytes."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype}{part.shape}".encode())
            data = part if part.dtype != object else np.asarray(part, dtype=str)
            digest.update(np.ascontiguousarray(data).tobytes())
        elif isinstance(part, bytes):
            digest.update(part)
        else:
            digest.update(json.dumps(part, sort_keys=True, ensure_ascii=False, default=str).encode())
        digest.update(b"\x00")
    return digest.hexdigest()[:length]


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically (UTF-8, indented; NaN is refused)."""
    write_bytes(
        path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False, default=_plain).encode()
    )


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a parquet file atomically."""
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    write_bytes(path, buffer.getvalue())


def write_tensors(path: Path, tensors: dict[str, np.ndarray]) -> None:
    """Write numpy arrays as safetensors, atomically."""
    from safetensors.numpy import save

    write_bytes(path, save({name: np.ascontiguousarray(value) for name, value in tensors.items()}))


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    """Read what `write_tensors` wrote."""
    from safetensors.numpy import load_file

    return dict(load_file(path))


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give a temporary sibling folder that becomes `path` when the block ends well and vanishes otherwise.

    Of several processes all must call it: they are given the same folder, and go on once it has its name.
    """
    temporary = Path(share(_beside(path) if is_main() else None))
    try:
        yield temporary
        wait_for_everyone()
        if is_main():
            _put(temporary, path)
        wait_for_everyone()
    except BaseException:
        if is_main():
            shutil.rmtree(temporary, ignore_errors=True)
        raise


def _beside(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    return tempfile.mkdtemp(dir=path.parent, prefix=".new-")


def _put(temporary: Path, path: Path) -> None:
    if path.exists():  # somebody else built the same content meanwhile
        shutil.rmtree(temporary)
    else:
        os.replace(temporary, path)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    return str(value)
