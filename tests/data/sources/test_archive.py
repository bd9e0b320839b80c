"""Finding, downloading, continuing and refusing archives, against a server on this machine."""

import hashlib
import io
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rec_core.data.sources import archive
from rec_core.data.sources.archive import find_beside, find_source, open_source
from rec_core.types import InputError

FILES = ("one.dat", "two.dat")
CONTENT = {"one.dat": b"1::2\n" * 5000, "two.dat": bytes(range(256)) * 40}


def zipped(members, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as packed:
        for name, data in members.items():
            packed.writestr(name, data)
    return buffer.getvalue()


ARCHIVE = zipped({f"small/{name}": data for name, data in CONTENT.items()} | {"small/README": b"words"})
MD5 = hashlib.md5(ARCHIVE).hexdigest()  # noqa: S324


class Server:
    """Serves `files`; understands "Range: bytes=N-"; remembers what was asked."""

    def __init__(self):
        self.files, self.ranges, self.asked, self.cut_after, self.use_ranges = {}, [], [], None, True
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.asked.append(self.path)
                data = server.files.get(self.path)
                if data is None:
                    self.send_error(404)
                    return
                start = 0
                if server.use_ranges and (asked := self.headers.get("Range")):
                    server.ranges.append(asked)
                    start = int(asked.removeprefix("bytes=").removesuffix("-"))
                    if start >= len(data):
                        self.send_error(416)
                        return
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(data) - start))
                self.end_headers()
                self.wfile.write(data[start : server.cut_after])

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/small.zip"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("ROSETTA_DATA", raising=False)
    server = Server()
    server.files["/small.zip"] = ARCHIVE
    yield server
    server.http.shutdown()
    server.http.server_close()


def contents(readers):
    return {name: readers[name]() for name in readers}


def test_download_is_checked_kept_and_not_repeated(server, tmp_path):
    events = []
    for _ in range(2):
        readers = open_source("small", FILES, server.url, MD5, downloads=tmp_path, progress=events.append)
        assert contents(readers) == CONTENT
    assert server.asked == ["/small.zip"]
    assert [path.name for path in tmp_path.iterdir()] == ["small.zip"]
    assert {event.stage for event in events} == {"download"}
    assert (events[-1].step, events[-1].total) == (len(ARCHIVE), len(ARCHIVE))


def test_a_cut_download_is_reported_and_continued(server, tmp_path):
    server.cut_after = 9000
    with pytest.raises(InputError, match=r"9,000 of .* bytes"):
        open_source("small", FILES, server.url, MD5, downloads=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".small.zip.part"]
    server.cut_after = None
    assert contents(open_source("small", FILES, server.url, MD5, downloads=tmp_path)) == CONTENT
    assert server.ranges == ["bytes=9000-"]
    assert [path.name for path in tmp_path.iterdir()] == ["small.zip"]


def test_a_server_without_ranges_starts_again(server, tmp_path):
    server.use_ranges = False
    (tmp_path / ".small.zip.part").write_bytes(ARCHIVE[:700])
    assert contents(open_source("small", FILES, server.url, MD5, downloads=tmp_path)) == CONTENT


def test_a_part_that_is_complete_already_is_taken(server, tmp_path):
    (tmp_path / ".small.zip.part").write_bytes(ARCHIVE)
    assert contents(open_source("small", FILES, server.url, MD5, downloads=tmp_path)) == CONTENT


def test_a_part_of_another_edition_is_thrown_away(server, tmp_path):
    (tmp_path / ".small.zip.part").write_bytes(b"x" * 700)
    assert contents(open_source("small", FILES, server.url, MD5, downloads=tmp_path)) == CONTENT
    assert server.asked == ["/small.zip"] * 2


def test_a_wrong_checksum_leaves_nothing(server, tmp_path):
    with pytest.raises(InputError, match="does not match its checksum"):
        open_source("small", FILES, server.url, "0" * 32, downloads=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("line", [f"MD5 (small.zip) = {MD5.upper()}\n", f"{MD5}  small.zip\n"])
def test_the_published_checksum_is_fetched(server, tmp_path, line):
    server.files["/small.zip.md5"] = line.encode()
    assert contents(open_source("small", FILES, server.url, downloads=tmp_path)) == CONTENT
    assert server.asked == ["/small.zip.md5", "/small.zip"]


def test_a_download_against_the_published_checksum_leaves_nothing(server, tmp_path):
    server.files["/small.zip.md5"] = b"MD5 (small.zip) = " + b"1" * 32
    with pytest.raises(InputError, match="checksum"):
        open_source("small", FILES, server.url, downloads=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_any_checksum_the_zip_must_be_sound(server, tmp_path):
    assert contents(open_source("small", FILES, server.url, downloads=tmp_path / "good")) == CONTENT
    damaged = bytearray(ARCHIVE)
    damaged[200] ^= 255
    for data in (bytes(damaged), b"<html>maintenance</html>"):
        server.files["/small.zip"] = data
        with pytest.raises(InputError, match="checksum"):
            open_source("small", FILES, server.url, downloads=tmp_path / "bad")
        assert list((tmp_path / "bad").iterdir()) == []


def test_offline_says_what_to_put_where(server, tmp_path):
    server.http.shutdown()
    server.http.server_close()
    with pytest.raises(
        InputError, match=r"could not be downloaded .* put small\.zip into .*ROSETTA_DATA"
    ) as caught:
        open_source("small", FILES, server.url, MD5, downloads=tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_a_missing_archive_on_the_server(server, tmp_path):
    server.files.clear()
    with pytest.raises(InputError, match="could not be downloaded"):
        open_source("small", FILES, server.url, MD5, downloads=tmp_path)


def test_only_web_addresses_are_opened(tmp_path, monkeypatch):
    monkeypatch.delenv("ROSETTA_DATA", raising=False)
    (tmp_path / "small.zip").write_bytes(ARCHIVE)
    with pytest.raises(InputError, match="no web address"):
        open_source("small", FILES, f"file://{tmp_path}/small.zip", MD5, downloads=tmp_path / "downloads")


def test_a_read_only_workspace_downloads_nothing(server, tmp_path, monkeypatch):
    monkeypatch.setenv("ROSETTA_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("ROSETTA_READONLY", "1")
    with pytest.raises(InputError, match="read-only"):
        open_source("small", FILES, server.url, MD5)
    assert server.asked == []


def test_downloads_go_into_the_workspace(server, tmp_path, monkeypatch):
    monkeypatch.setenv("ROSETTA_WORKSPACE", str(tmp_path))
    open_source("small", FILES, server.url, MD5)
    assert (tmp_path / "downloads" / "small.zip").read_bytes() == ARCHIVE


@pytest.mark.parametrize("given", ["root", "environment"])
@pytest.mark.parametrize("kind", ["folder", "zip", "zip below"])
def test_supplied_files_come_before_any_download(server, tmp_path, monkeypatch, given, kind):
    place = tmp_path / "data"
    (place / "small").mkdir(parents=True)
    if kind == "folder":
        for name, data in CONTENT.items():
            (place / "small" / name).write_bytes(data)
    else:
        (place / "small").rmdir()
        (place / "small.zip").write_bytes(ARCHIVE)
        place = place / "small.zip" if kind == "zip" else place
    monkeypatch.setenv("ROSETTA_DATA", str(place if given == "environment" else tmp_path / "nowhere"))
    root = place if given == "root" else None
    readers = open_source("small", FILES, server.url, "0" * 32, root=root, downloads=tmp_path / "downloads")
    assert contents(readers) == CONTENT
    assert server.asked == []


def test_a_folder_with_the_files_themselves_is_a_root(tmp_path):
    for name, data in CONTENT.items():
        (tmp_path / name).write_bytes(data)
    assert contents(open_source("small", FILES, "", root=tmp_path)) == CONTENT


def test_a_root_without_the_dataset_is_refused_and_nothing_downloaded(server, tmp_path):
    with pytest.raises(InputError, match="has no 'small'"):
        open_source("small", FILES, server.url, MD5, root=tmp_path, downloads=tmp_path)
    assert server.asked == []


def test_a_missing_file_is_named(tmp_path):
    (tmp_path / "small.zip").write_bytes(zipped({"small/one.dat": b""}))
    with pytest.raises(InputError, match="holds no file 'two.dat'"):
        open_source("small", FILES, "", root=tmp_path)
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "one.dat").touch()
    with pytest.raises(InputError, match="has no file 'two.dat'"):
        open_source("small", FILES, "", root=tmp_path)


@pytest.mark.parametrize(
    "member", ["../one.dat", "/one.dat", "a/../../one.dat", "..\\one.dat", "C:\\one.dat"]
)
def test_members_outside_of_the_archive_are_refused(tmp_path, member):
    (tmp_path / "small.zip").write_bytes(zipped({**CONTENT, member: b"x"}))
    with pytest.raises(InputError, match="outside"):
        open_source("small", FILES, "", root=tmp_path)


def test_members_that_unpack_to_too_much_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_BYTES", 20_000)
    (tmp_path / "small.zip").write_bytes(zipped(CONTENT, zipfile.ZIP_DEFLATED))
    with pytest.raises(InputError, match=r"one.dat' of 25,000 bytes, more than the 20,000"):
        open_source("small", FILES, "", root=tmp_path)


def test_damaged_zips_are_refused_with_a_sentence(tmp_path):
    (tmp_path / "small.zip").write_bytes(b"no zip")
    with pytest.raises(InputError, match="no readable zip"):
        open_source("small", FILES, "", root=tmp_path)
    damaged = bytearray(ARCHIVE)
    damaged[200] ^= 255
    (tmp_path / "small.zip").write_bytes(bytes(damaged))
    with pytest.raises(InputError, match=r"damaged at 'small/one.dat'"):
        contents(open_source("small", FILES, "", root=tmp_path))


def test_the_file_nearest_to_the_top_wins(tmp_path):
    members = {"a/one.dat": b"top", "a/old/one.dat": b"deep", "a/two.dat": b"2"}
    for order in (members, dict(reversed(members.items()))):
        (tmp_path / "small.zip").write_bytes(zipped(order))
        assert open_source("small", FILES, "", root=tmp_path)["one.dat"]() == b"top"


def test_companions_lie_beside_the_archive_or_in_the_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("ROSETTA_DATA", raising=False)
    assert find_beside("small", "extra.json") is None
    (tmp_path / "small").mkdir()
    inside, beside = tmp_path / "small" / "extra.json", tmp_path / "extra.json"
    assert find_beside("small", "extra.json", tmp_path) is None
    inside.touch()
    assert find_beside("small", "extra.json", tmp_path) == inside
    beside.touch()
    (tmp_path / "small.zip").touch()
    monkeypatch.setenv("ROSETTA_DATA", str(tmp_path))
    assert find_beside("small", "extra.json") == beside
    assert find_beside("small", "extra.json", tmp_path / "small.zip") == beside


def test_a_source_without_an_address_is_found_where_archives_lie(tmp_path, monkeypatch):
    monkeypatch.delenv("ROSETTA_DATA", raising=False)
    monkeypatch.setenv("ROSETTA_WORKSPACE", str(tmp_path / "space"))
    with pytest.raises(InputError, match=r"get the small files, and put .*small.zip .with one.dat, two.dat"):
        find_source("small", FILES, "the small files")
    downloads = tmp_path / "space" / "downloads"
    downloads.mkdir(parents=True)
    (downloads / "small.zip").write_bytes(ARCHIVE)
    assert contents(find_source("small", FILES, "the small files")) == CONTENT
    with pytest.raises(InputError, match="has no 'small'"):
        find_source("small", FILES, "the small files", root=tmp_path)


def test_files_of_one_name_are_told_apart_by_their_folder(tmp_path):
    (tmp_path / "small.zip").write_bytes(zipped({"small/a/x": b"a", "small/b/x": b"b", "small/ba/x": b"ba"}))
    found = find_source("small", ["a/x", "b/x"], "it", root=tmp_path)
    assert contents(found) == {"a/x": b"a", "b/x": b"b"}
