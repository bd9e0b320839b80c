"""The files at a path: what is looked at, and lines as they stream out of files, gz files and zips."""

import gzip
import zipfile

import pytest

from rec_core.data.sources.file_set import open_files

TEXT = "\ufeffone\r\n\n  \ntwö\x85x\nthree".encode()
LINES = [(1, "one"), (4, "twö\x85x"), (5, "three")]


def test_lines_with_their_rows_from_a_file_a_gz_and_a_zip(tmp_path):
    (tmp_path / "a.txt").write_bytes(TEXT)
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(TEXT))
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("deep/a.txt", TEXT)
        archive.writestr("b.txt.gz", gzip.compress(TEXT))
    for path in tmp_path.iterdir():
        files = open_files(path)
        for name in files.names:
            assert list(files.lines(name)) == LINES
    assert open_files(tmp_path / "c.zip").names == ("b.txt.gz", "deep/a.txt")
    assert open_files(tmp_path / "c.zip").named(".TXT".lower()) == ["deep/a.txt"]


def test_hidden_files_and_what_lies_too_deep_are_not_there(tmp_path):
    for name in ("x", ".hidden", "a/b/x", "a/b/c/x", ".git/x", "__MACOSX/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert open_files(tmp_path).names == ("a/b/x", "x")


@pytest.mark.parametrize("member", ["../evil", "/evil", "a/../../evil"])
def test_a_zip_that_points_outside_is_refused(tmp_path, complaint, member):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(member, "x")
    assert "points outside" in complaint(open_files, tmp_path / "a.zip")


def test_what_cannot_be_read_is_said(tmp_path, complaint):
    (tmp_path / "a.txt").write_bytes(b"good\n\xff\n")
    files = open_files(tmp_path / "a.txt")
    assert complaint(lambda: list(files.lines("a.txt"))).startswith(
        "a.txt, row 2: the byte 0xFF is not UTF-8"
    )
    (tmp_path / "a.zip").write_bytes(b"PK")
    assert "no zip archive" in complaint(open_files, tmp_path / "a.zip")
    assert "There is no file" in complaint(open_files, tmp_path / "absent")
    (tmp_path / "a.txt").unlink()
    assert "is damaged or unreadable" in complaint(lambda: list(files.lines("a.txt")))
