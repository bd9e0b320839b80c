"""Score many prompts in chunks that stay on disk, so that a killed run repeats one chunk at most."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from rec_core.processes import n_processes, rank, share, wait_for_everyone
from rec_core.store import content_hash, read_tensors, write_tensors
from rec_core.types import Progress, ProgressEvent

_CHUNK = 1024  # prompts between two writes, at most

Score = Callable[[Sequence[str], Progress], np.ndarray]
Chunk = tuple[int, int]  # from the first prompt to before the second


def kept_logits(
    prompts: Sequence[str], score: Score, folder: Path, progress: Progress, stage: str
) -> np.ndarray:
    """Return the logits of every prompt (B, C), scored unless `folder` has them.

    Several processes share the chunks that are missing, and all return all logits; all must call it. A chunk
    is a file named by its first prompt, so any number of processes goes on from what any other number left.

    Args:
        prompts: what is asked; other prompts are other files.
        score: prompts -> logits (b, C), the same for the same prompts as long as `folder` is; it reports how
            many it has done.
        folder: belongs to one state of one model.
        progress: called as scoring goes on; may raise `Cancelled`.
        stage: the name progress events carry.
    """
    kept = folder / content_hash(list(prompts))
    chunks: list[Chunk] = share(_missing(kept, len(prompts)))
    for start, stop in chunks[rank() :: n_processes()]:
        before = len(prompts) - sum(b - a for a, b in chunks if not _file(kept, a).exists())
        within = _within(progress, stage, before, len(prompts))
        write_tensors(_file(kept, start), {"logits": score(prompts[start:stop], within)})
    wait_for_everyone()
    progress(ProgressEvent(stage, len(prompts), len(prompts)))
    parts = [logits for _, logits in _found(kept)]
    return np.concatenate(parts) if parts else np.zeros((0, 2), np.float32)


def _missing(kept: Path, n_prompts: int) -> list[Chunk]:
    """Return the chunks that have no file: of `_CHUNK` prompts, or fewer where each process gets one."""
    done = [(start, start + len(logits)) for start, logits in _found(kept)]
    gaps = [
        (stop, start)
        for (_, stop), (start, _) in zip([(0, 0), *done], [*done, (n_prompts, n_prompts)], strict=True)
        if stop < start
    ]
    share_of_each = -(-sum(stop - start for start, stop in gaps) // n_processes())
    size = max(1, min(_CHUNK, share_of_each))
    return [(a, min(a + size, stop)) for start, stop in gaps for a in range(start, stop, size)]


def _found(kept: Path) -> list[tuple[int, np.ndarray]]:
    """Return the first prompt and the logits of every chunk on disk, in order."""
    return [
        (int(file.stem), read_tensors(file)["logits"]) for file in sorted(kept.glob("[0-9]*.safetensors"))
    ]


def _file(kept: Path, start: int) -> Path:
    return kept / f"{start:08d}.safetensors"


def _within(progress: Progress, stage: str, before: int, total: int) -> Progress:
    """Return what a chunk reports to: its steps counted from what was done before."""
    return lambda event: progress(ProgressEvent(stage, before + event.step, total))
