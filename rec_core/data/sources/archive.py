"""Find a dataset's original files: in a folder or zip a person has, or in the official archive."""

from __future__ import annotations

import hashlib
import os
import re
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPException, HTTPResponse
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from rec_core.store import Workspace
from rec_core.types import InputError, Progress, ProgressEvent, ignore_progress

MAX_BYTES = 2 * 1024**3  # of one unpacked file; the largest read here has 25 MB
_CHUNK = 1 << 18
_TIMEOUT_SECONDS = 30

Readers = Mapping[str, Callable[[], bytes]]


def open_source(
    name: str,
    files: Sequence[str],
    url: str,
    md5: str | None = None,
    root: Path | None = None,
    downloads: Path | None = None,
    progress: Progress = ignore_progress,
) -> Readers:
    """Return a reader for each file: `readers["u.data"]()` gives its bytes.

    Looked for, in this order: `root` when given (a zip, a folder with the files, or a folder that holds
    `<name>/` or `<name>.zip`; nothing else is tried); the folder ROSETTA_DATA; the downloads of the
    workspace; the archive at `url`, which is downloaded, checked and kept. Files a person supplies are
    taken as they are, without a checksum.

    Args:
        name: the archive's name ("ml-1m").
        files: the wanted files by their name, wherever they lie in the archive.
        url: the official archive.
        md5: the publisher's checksum of the archive; None = the file beside it (`url` + ".md5") tells, and
            where there is none either, the checksums inside the zip.
        root: where to look instead of everywhere else.
        downloads: where downloaded archives are kept; None = `downloads/` in the workspace.
        progress: hears about the download in bytes.

    Raises:
        InputError: a file is missing, the archive is damaged or unsafe, or the download failed.
    """
    found = _supplied(name, files, root)
    if found is not None:
        return found
    folder = downloads
    if folder is None:
        workspace = Workspace.from_environment()
        folder = workspace.root / "downloads"
        if not (folder / f"{name}.zip").is_file():
            workspace.check_writable()
    archive = folder / f"{name}.zip"
    if not archive.is_file():
        _download(url, archive, md5, progress)
    return _from_zip(archive, files)


def find_source(name: str, files: Sequence[str], origin: str, root: Path | None = None) -> Readers:
    """Return a reader for each file of a dataset that has no official address to download it from.

    Looked for as in `open_source`: `root` when given, else the folder ROSETTA_DATA, then the downloads of
    the workspace.

    Args:
        name: the folder's or archive's name ("bookcrossing").
        files: the wanted files; "amazon/trn.npz" lies in a folder amazon/ wherever that lies.
        origin: where a person gets the files, to follow "get".
        root: where to look instead of everywhere else.

    Raises:
        InputError: nothing is there (the sentence says what to get and where to put it), a file is missing
            or the archive is damaged or unsafe.
    """
    found = _supplied(name, files, root)
    downloads = Workspace.from_environment().root / "downloads"
    found = _look(downloads, name, files) if found is None else found
    if found is None:
        raise InputError(
            f"{name} cannot be downloaded from here: get {origin}, and put the folder {name}/ or the "
            f"archive {name}.zip (with {', '.join(files)}) into the folder that ROSETTA_DATA names or into "
            f"{downloads}."
        )
    return found


def find_beside(name: str, file: str, root: Path | None = None) -> Path | None:
    """Return an optional file that lies beside `<name>.zip` or in the folder `<name>/`, or None."""
    data = os.environ.get("ROSETTA_DATA")
    if root is None and not data:
        return None
    folder = Path(data or "") if root is None else root
    folder = folder.parent if folder.is_file() else folder
    return next((path for path in (folder / file, folder / name / file) if path.is_file()), None)


def _supplied(name: str, files: Sequence[str], root: Path | None) -> Readers | None:
    """Return the files a person supplies: in `root`, which then must have them, or in ROSETTA_DATA."""
    if root is not None:
        found = _look(root, name, files)
        if found is None:
            raise InputError(
                f"{root} has no {name!r}; put the folder {name}/ or the archive {name}.zip there."
            )
        return found
    data = os.environ.get("ROSETTA_DATA")
    return _look(Path(data), name, files) if data else None


def _look(place: Path, name: str, files: Sequence[str]) -> Readers | None:
    if place.is_file():
        return _from_zip(place, files)
    for folder in (place / name, place):
        if folder.is_dir() and (folder == place / name or (folder / files[0]).is_file()):
            return _from_folder(folder, files)
    archive = place / f"{name}.zip"
    return _from_zip(archive, files) if archive.is_file() else None


def _from_folder(folder: Path, files: Sequence[str]) -> Readers:
    for file in files:
        if not (folder / file).is_file():
            raise InputError(f"{folder} has no file {file!r}; unpack the whole archive there.")
    return {file: (folder / file).read_bytes for file in files}


def _from_zip(archive: Path, files: Sequence[str]) -> Readers:
    try:
        with zipfile.ZipFile(archive) as unpacked:
            members = [member for member in unpacked.infolist() if not member.is_dir()]
    except (zipfile.BadZipFile, OSError):
        raise InputError(f"{archive} is no readable zip archive; delete it and try again.") from None
    for member in members:
        check_member(archive, member)
    members.sort(key=lambda member: member.filename.count("/"), reverse=True)
    by_name: dict[str, zipfile.ZipInfo] = {}
    for file in files:
        for member in members:  # the one nearest to the top wins
            if f"/{member.filename}".endswith(f"/{file}"):
                by_name[file] = member
        if file not in by_name:
            raise InputError(
                f"{archive} holds no file {file!r}; it is not the archive this dataset comes in."
            )
    return {file: _member_reader(archive, by_name[file]) for file in files}


def check_member(archive: Path, member: zipfile.ZipInfo) -> None:
    """Refuse a zip member that points outside its archive or unpacks to more than `MAX_BYTES`.

    Raises:
        InputError: naming the archive and the member.
    """
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise InputError(f"{archive} holds {member.filename!r}, which points outside of it; do not use it.")
    if member.file_size > MAX_BYTES:
        raise InputError(
            f"{archive} holds {member.filename!r} of {member.file_size:,} bytes, more than the {MAX_BYTES:,} "
            "allowed; do not use it."
        )


def _member_reader(archive: Path, member: zipfile.ZipInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            with zipfile.ZipFile(archive) as unpacked:
                return unpacked.read(member.filename)
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError):
            raise InputError(
                f"{archive} is damaged at {member.filename!r}; delete it and try again."
            ) from None

    return read


def _download(url: str, target: Path, md5: str | None, progress: Progress) -> None:
    """Fetch an archive into `target`; an unfinished part is continued, a wrong one never stays."""
    try:
        expected = md5 or _published_md5(url)
        part = target.with_name(f".{target.name}.part")
        part.parent.mkdir(parents=True, exist_ok=True)
        resumed = _fetch(url, part, progress)
        if resumed and not _is_sound(
            part, expected
        ):  # the part came from another edition: once more, from zero
            part.unlink()
            _fetch(url, part, progress)
    except (OSError, HTTPException) as error:  # URLError and timeouts are OSErrors
        raise InputError(_offline_sentence(url, target, error)) from None
    if not _is_sound(part, expected):
        part.unlink()
        raise InputError(
            f"What {url} sent does not match its checksum, so nothing was kept; try again later, or put "
            f"{target.name} into {target.parent} yourself."
        )
    os.replace(part, target)


def _published_md5(url: str) -> str | None:
    """Return the checksum that lies beside the archive; None where the publisher has none."""
    try:
        with _open(url + ".md5") as response:
            found = re.search(rb"\b[0-9a-fA-F]{32}\b", response.read(4096))
    except urllib.error.HTTPError as error:
        if error.code in (403, 404):
            return None
        raise
    return found.group().decode().lower() if found else None


def _fetch(url: str, part: Path, progress: Progress) -> bool:
    """Download into `part`, continuing after its last byte; tell whether it was continued."""
    have = part.stat().st_size if part.exists() else 0
    try:
        response = _open(url, {"Range": f"bytes={have}-"} if have else {})
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # the part is as long as the archive already
            return True
        raise
    with response:
        resumed = response.status == 206
        done = have if resumed else 0
        total = done + int(response.headers.get("Content-Length") or 0)
        with part.open("ab" if resumed else "wb") as file:
            while chunk := response.read(_CHUNK):
                file.write(chunk)
                done += len(chunk)
                progress(ProgressEvent("download", done, max(total, done), url))
            file.flush()
            os.fsync(file.fileno())
    if done < total:
        raise HTTPException(f"the connection ended after {done:,} of {total:,} bytes")
    return resumed


def _open(url: str, headers: dict[str, str] | None = None) -> HTTPResponse:
    if urlsplit(url).scheme not in ("http", "https"):
        raise InputError(f"{url} is no web address; archives are downloaded over https.")
    request = urllib.request.Request(url, headers=headers or {})  # noqa: S310 - the scheme is checked above
    return urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS)  # noqa: S310


def _is_sound(part: Path, md5: str | None) -> bool:
    if md5 is not None:
        with part.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest() == md5
    try:
        with zipfile.ZipFile(part) as archive:
            return archive.testzip() is None
    except zipfile.BadZipFile:
        return False


def _offline_sentence(url: str, target: Path, error: Exception) -> str:
    reason = getattr(error, "reason", error)
    return (
        f"{url} could not be downloaded ({reason}); get it on another machine and put {target.name} into "
        f"{target.parent} or into the folder that ROSETTA_DATA names, or try again to continue."
    )
