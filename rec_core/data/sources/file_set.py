"""The files at a path a person gives: one file, a folder of files or a zip of files, read as streams.

Files that end in `.gz` are unpacked while they are read.
"""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from rec_core.data.sources.archive import check_member
from rec_core.types import InputError

MAX_LINE = 1 << 24  # bytes: a longer line is no record
_DEPTH = 3  # folders below the given one that are looked into
_UNREADABLE = (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError)


@dataclass(frozen=True)
class FileSet:
    """Files by their name below `place`; hidden ones are not among them."""

    place: Path
    names: tuple[str, ...]  # sorted, with "/" between folders
    kind: str  # "file", "folder" or "zip"

    def named(self, *suffixes: str) -> list[str]:
        """Return the names that end in one of the suffixes, whatever their case."""
        return [name for name in self.names if name.lower().endswith(suffixes)]

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Open a file as a stream of (unpacked) bytes.

        Raises:
            InputError: it is damaged, also when that shows only while it is read.
        """
        try:
            if self.kind == "zip":
                with zipfile.ZipFile(self.place) as archive, archive.open(name) as file:
                    yield _unpacked(name, cast(BinaryIO, file))
            else:
                with (self.place if self.kind == "file" else self.place / name).open("rb") as file:
                    yield _unpacked(name, file)
        except _UNREADABLE:
            raise InputError(f"{name} in {self.place} is damaged or unreadable; get it again.") from None

    def lines(self, name: str) -> Iterator[tuple[int, str]]:
        """Yield the lines of a UTF-8 file that are not blank, each with its row (the first is 1).

        Raises:
            InputError: naming the row that is not UTF-8 or too long.
        """
        with self.open(name) as file:
            yield from decoded_lines(file, PurePosixPath(name).name)


def decoded_lines(file: BinaryIO, name: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a stream of UTF-8 that are not blank, each with its row; one is held at a time.

    Raises:
        InputError: naming the row that is not UTF-8 or too long.
    """
    row = 0
    while line := file.readline(MAX_LINE + 1):
        row += 1
        if len(line) > MAX_LINE:
            raise InputError(
                f"{name}, row {row}: the line has more than {MAX_LINE:,} bytes; put one record on each line."
            )
        try:
            text = line.decode("utf-8-sig" if row == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise InputError(
                f"{name}, row {row}: the byte 0x{line[error.start]:02X} is not UTF-8; save the file as UTF-8 "
                "and import it again."
            ) from None
        if text.strip():
            yield row, text


def open_files(path: Path) -> FileSet:
    """Look at a file, a folder (three levels deep) or a zip, without reading any content.

    Raises:
        InputError: nothing is there, or the zip is damaged or unsafe.
    """
    path = Path(path)
    if path.is_dir():
        below = (file for depth in range(_DEPTH) for file in path.glob("/".join("*" * (depth + 1))))
        names = [file.relative_to(path).as_posix() for file in below if file.is_file()]
        return FileSet(path, _visible(names), "folder")
    if not path.is_file():
        raise InputError(f"There is no file {str(path)!r}; check the path.")
    if path.suffix.lower() != ".zip":
        return FileSet(path, (path.name,), "file")
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
    except _UNREADABLE:
        raise InputError(
            f"{path.name} is damaged, encrypted or no zip archive; pack it again without a password."
        ) from None
    for member in members:
        check_member(path, member)
    return FileSet(path, _visible([member.filename for member in members]), "zip")


def _visible(names: list[str]) -> tuple[str, ...]:
    return tuple(
        sorted(
            name
            for name in names
            if not any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(name).parts)
        )
    )


def _unpacked(name: str, file: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, gzip.GzipFile(fileobj=file)) if name.lower().endswith(".gz") else file
