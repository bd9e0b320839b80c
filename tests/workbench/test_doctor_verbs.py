"""The doctor: each check is held against a machine in the state it is there for."""

import sys
from types import ModuleType, SimpleNamespace

import pytest

from rec_core.store import Workspace
from rec_core.workbench import doctor_verbs as module

GB = 2**30


@pytest.fixture
def look(tmp_path, monkeypatch):
    """Return the rows by check, on a machine where torch sees no GPU and nothing is set in the environment."""
    for name in ("ROSETTA_DATA", "OMP_NUM_THREADS", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    torch(monkeypatch)

    def run(root=tmp_path, read_only=False):
        rows = module.doctor(workspace=Workspace(root, read_only))
        assert all(set(row) == {"check", "ok", "detail", "mend"} and row["detail"] for row in rows)
        assert all(row["mend"] for row in rows if not row["ok"])
        return {row["check"]: row for row in rows}

    return run


def torch(monkeypatch, gpu=None):
    fake = ModuleType("torch")
    fake.cuda = SimpleNamespace(
        is_available=lambda: gpu is not None,
        get_device_properties=lambda _: SimpleNamespace(total_memory=24 * GB),
        get_device_name=lambda _: gpu,
    )
    monkeypatch.setitem(sys.modules, "torch", fake)


def test_nothing_is_left_in_the_workspace(look, tmp_path):
    look(tmp_path / "not" / "yet")
    assert not list(tmp_path.iterdir())


def test_packages_are_held_against_the_pins(look, tmp_path, monkeypatch):
    from importlib.metadata import version

    file = tmp_path / "requirements.txt"
    monkeypatch.setattr(module, "REQUIREMENTS", file)
    file.write_text(f"# pins\n--index-url x\nnumpy=={version('numpy')}\npsutil>=1  # any\n")
    assert look()["packages"]["ok"]
    file.write_text(f"numpy==0.0.1\npsutil=={version('psutil')}\nno-such-package==1.0\n")
    row = look()["packages"]
    assert not row["ok"] and "pip install -r requirements.txt" in row["mend"]
    assert "numpy" in row["detail"] and "no-such-package" in row["detail"] and "psutil" not in row["detail"]


def test_a_build_tag_is_no_other_version(look, tmp_path, monkeypatch):
    file = tmp_path / "requirements.txt"
    file.write_text("torch==2.13.0\n")
    monkeypatch.setattr(module, "REQUIREMENTS", file)
    monkeypatch.setattr(module, "version", lambda name: "2.13.0+cpu")
    assert look()["packages"]["ok"]


def test_gpu(look, monkeypatch):
    assert look()["gpu"]["ok"]
    torch(monkeypatch, gpu="A card")
    assert look()["gpu"]["detail"] == "A card, 24 GiB"
    monkeypatch.setitem(sys.modules, "torch", None)
    assert not look()["gpu"]["ok"]


@pytest.mark.parametrize(
    ("given", "ok"), [("1", True), ("4", True), ("5", False), ("0", False), ("many", False)]
)
def test_threads(look, monkeypatch, given, ok):
    monkeypatch.setattr(module.os, "cpu_count", lambda: 4)
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    assert look()["threads"]["ok"] is ok


def test_workspace_that_cannot_be_written(look, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(module.tempfile, "TemporaryFile", refuse)
    row = look()["workspace"]
    assert not row["ok"] and "Permission denied" in row["detail"] and "ROSETTA_WORKSPACE" in row["mend"]
    assert look(read_only=True)["workspace"]["ok"]


def test_workspace_that_is_a_file(look, tmp_path):
    file = tmp_path / "file"
    file.touch()
    assert not look(file)["workspace"]["ok"]


def test_little_disk_and_memory(look, monkeypatch):
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: SimpleNamespace(free=0.1 * GB))
    monkeypatch.setattr(
        module.psutil, "virtual_memory", lambda: SimpleNamespace(available=0.5 * GB, total=2 * GB)
    )
    rows = look()
    assert not rows["disk"]["ok"] and "0.1" in rows["disk"]["detail"]
    assert not rows["memory"]["ok"] and "0.5 of 2.0" in rows["memory"]["detail"]


def test_raw_data_and_hub(look, tmp_path, monkeypatch):
    assert look()["raw data"]["ok"]
    (tmp_path / "ml-1m.zip").touch()
    (tmp_path / "ml-100k").mkdir()
    monkeypatch.setenv("ROSETTA_DATA", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    rows = look()
    assert "ml-1m" in rows["raw data"]["detail"] and "ml-100k" in rows["raw data"]["detail"]
    assert "ml-latest-small" not in rows["raw data"]["detail"]
    assert "HF_HUB_OFFLINE is set" in rows["model hub"]["detail"]
    monkeypatch.setenv("ROSETTA_DATA", str(tmp_path / "nowhere"))
    assert not look()["raw data"]["ok"]
