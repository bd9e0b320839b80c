"""What processes do together, in as many as a launcher started; each leaves what it saw: `... FOLDER`."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rec_core import store
from rec_core.processes import (
    by_main,
    ending_together,
    is_main,
    main_first,
    n_processes,
    rank,
    share,
    wait_for_everyone,
)
from rec_core.store import Workspace, new_folder, write_json
from rec_core.types import Cancelled, InputError


def raised(error: Exception) -> list[str]:
    """What this process raises when the main one raises `error` in its own work."""

    def work() -> None:
        raise error

    try:
        by_main(work)
    except (RuntimeError, ValueError, KeyError) as caught:
        return [type(caught).__name__, str(caught)]
    return []


def read_or_write(file: Path) -> list[Any]:
    """What the file says, and how many processes share this; it is written in a while where there is none."""
    if not file.exists():
        time.sleep(0.5)
        file.write_text(f"written by the main one: {is_main()}")
    return [file.read_text(), n_processes()]


def put(folder: Path) -> None:
    """Leave a file named after this process, the second one later than the main one."""
    time.sleep(0.3 * rank())
    (folder / f"{rank()}").touch()


def see(folder: Path) -> dict[str, Any]:
    """Do everything that processes can do together."""
    seen: dict[str, Any] = {"shared": share(rank())}
    if not is_main():
        time.sleep(0.5)
        (folder / "late").touch()
    seen["by_main"] = by_main(lambda: [n_processes(), rank(), (folder / "late").exists()])
    seen["after"] = [n_processes(), rank()]
    seen["raised"] = [raised(error) for error in (InputError("wrong"), Cancelled("enough"), KeyError("x"))]
    seen["main_first"] = main_first(lambda: read_or_write(folder / "first"))
    with new_folder(folder / "together") as fresh:
        put(fresh)
    seen["together"] = sorted(file.name for file in (folder / "together").iterdir())
    return seen | keep(Workspace(folder / "space"))


def keep(space: Workspace) -> dict[str, Any]:
    """Keep an artefact, look at it again, and keep one that somebody else keeps at the same moment."""
    built: list[Path] = []
    written: list[str] = []
    store.write_json = lambda path, value: written.append(path.name) or write_json(path, value)

    def build(folder: Path) -> None:
        built.append(folder)
        put(folder)

    kept = [space.cached("kind", "key", build) for _ in range(2)]
    seen = {
        "cached": sorted(file.name for file in kept[1].iterdir()),
        "beside": sorted(file.name for file in kept[0].parent.iterdir()),
        "built": len(built),
        "written": list(written),
    }
    if not is_main():
        time.sleep(0.5)
        space.cache_path("kind", "other").mkdir()
    space.cached("kind", "other", build)
    return seen | {"built_at_the_same_moment": len(built) - seen["built"]}


def put_slowly(temporary: Path, path: Path, put: Callable[[Path, Path], None] = store._put) -> None:
    """Give a folder its name in a while."""
    time.sleep(0.3)
    put(temporary, path)


def main(folder: Path) -> None:
    """Do it, and end by an error of the second process while the first one waits."""
    store._put = put_slowly
    seen, began = see(folder), time.monotonic()
    try:
        with ending_together():
            if not is_main():
                raise ValueError("no room")
            wait_for_everyone()
    except Exception as error:
        seen["ended"] = [type(error).__name__, str(error)]
        seen["seconds"] = time.monotonic() - began
        raise
    finally:
        write_json(folder / f"process-{rank()}.json", seen)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
