"""Run one job of either library in a process of its own, and keep its result for the next time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rec_core.store import write_json
from rec_core.types import InputError

DRIVER = Path(__file__).parent / "peers" / "recbole_driver.py"
ROOT = Path(__file__).resolve().parent.parent
_DECIDES = (
    "model",
    "dataset",
    "mode",
    "epochs",
    "seed",
    "threads",
    "config",
)  # a result for these is the result

Library = Literal["ours", "recbole"]


@dataclass(frozen=True)
class Runner:
    """Where results are kept and what runs the peer.

    Results lie in `work`/<case>/<library>/<model>/<mode>-seed-<n>/, the last with what else was asked for:
    [-patience-<n>][-<precision>][-batch-<n>][-round-<n>].
    """

    work: Path
    peer_python: Path
    fresh: bool = False

    @property
    def exports(self) -> Path:
        """Return the folder that the peer reads its data from."""
        return self.work / "exports"

    def run(self, library: Library, job: dict[str, Any], turn: int | None = None) -> Path:
        """Return the folder of a job's result, running it unless it is there.

        Args:
            library: whose.
            job: what to do, without `out`; `dataset` names the case.
            turn: the round, where a job is repeated.

        Raises:
            InputError: the job failed; its log is named.
        """
        name = f"{job['mode']}-seed-{job['seed']}"
        name += f"-patience-{job['patience']}" if "patience" in job else ""
        name += f"-{job['precision']}" if "precision" in job else ""
        sizes = {"batch_size", "train_batch_size"} & set(job["config"])
        name += "".join(f"-batch-{job['config'][size]}" for size in sizes)
        name += "" if turn is None else f"-round-{turn + 1}"
        out = self.work / job["dataset"] / library / job["model"].lower() / name
        if not self.fresh and _matches(out / "result.json", job):
            return out
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        write_json(out / "job.json", {**job, "data": str(self.exports), "out": str(out)})
        sys.stderr.write(f"{library} {job['model']} on {job['dataset']}: {name}\n")
        self._start(library, out, job["threads"])
        return out

    def _start(self, library: Library, out: Path, threads: int) -> None:
        command = [str(self.peer_python), "-W", "ignore", str(DRIVER)]
        if library == "ours":
            command = [sys.executable, "-m", "benchmarks.ours"]
        with (out / "log.txt").open("w", encoding="utf-8") as log:
            done = subprocess.run(  # noqa: S603 our own command
                [*command, str(out / "job.json")],
                cwd=ROOT if library == "ours" else out,
                env={**os.environ, "OMP_NUM_THREADS": str(threads)},
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode or not (out / "result.json").exists():
            raise InputError(f"The {library} job failed; {out / 'log.txt'} says why.")


def result_of(folder: Path) -> dict[str, Any]:
    """Return the record a job left."""
    return json.loads((folder / "result.json").read_text(encoding="utf-8"))


def _matches(path: Path, job: dict[str, Any]) -> bool:
    """Tell whether a kept result answers the job."""
    if not path.exists():
        return False
    kept = json.loads(path.read_text(encoding="utf-8"))["job"]
    return all(kept.get(name) == job.get(name) for name in _DECIDES)
