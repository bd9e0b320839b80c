"""Score many prompts in chunks that stay on disk, so that a killed run repeats one chunk at most."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from rec_core.store import content_hash, read_tensors, write_tensors
from rec_core.types import Progress, ProgressEvent

_CHUNK = 1024  # prompts between two writes

Score = Callable[[Sequence[str], Progress], np.ndarray]


def kept_logits(
    prompts: Sequence[str], score: Score, folder: Path, progress: Progress, stage: str
) -> np.ndarray:
    """Return the logits of every prompt (B, C), scored unless `folder` has them.

    Args:
        prompts: what is asked; other prompts are other files.
        score: prompts -> logits (b, C), the same for the same prompts as long as `folder` is; it reports how
            many it has done.
        folder: belongs to one state of one model.
        progress: called as scoring goes on; may raise `Cancelled`.
        stage: the name progress events carry.
    """
    kept = folder / content_hash(list(prompts))
    parts = []
    for start in range(0, len(prompts), _CHUNK):
        path = kept / f"{start:08d}.safetensors"
        if not path.exists():
            kept.mkdir(parents=True, exist_ok=True)
            within = _within(progress, stage, start, len(prompts))
            write_tensors(path, {"logits": score(prompts[start : start + _CHUNK], within)})
        parts.append(read_tensors(path)["logits"])
        progress(ProgressEvent(stage, min(start + _CHUNK, len(prompts)), len(prompts)))
    return np.concatenate(parts) if parts else np.zeros((0, 2), np.float32)


def _within(progress: Progress, stage: str, start: int, total: int) -> Progress:
    """Return what a chunk reports to: its steps counted from the first prompt of all."""
    return lambda event: progress(ProgressEvent(stage, start + event.step, total))
