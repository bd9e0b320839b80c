"""Our language-model scoring and tuning beside the published way, on the same prompts and weights.

    python benchmarks/llm.py --data ml-100k --prompts 10000 --k 30 --threads 2 --out result.json

Scoring: RALLRec's published code gives the model one prompt at a time, lets it generate two tokens and reads
the scores of the first. That is timed on an even sample of the prompts (`--sample`), ours on all of them, in
turns; the two logits are compared on the sample. Prompts are those of the test questions (in time order) and
of recommendations (50 candidates a user), each with the newest items and with retrieved ones.

Tuning: `fit_causal` beside a plain loop that pads every row to the longest of the whole set and takes the
head's logits at every position. (The published code pads to 2,048; the longest row is the kinder choice.)
Both see the same rows in the same batches, with the same optimiser; the losses of every step are compared.

On CUDA a row says which share of the device's bf16 peak the tuning reaches, counting 6 x parameters per
token.

Ratios above 1 mean that ours is better. Only ratios are worth quoting where something else runs on the
machine.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.llm_cases import PromptCase, Reader, load_reader, prompt_cases
from benchmarks.reporting import machine, show
from benchmarks.timing import alternate, row
from rec_core.device import set_threads
from rec_core.llm.causal_trainer import TokenRow, TrainerConfig, fit_causal
from rec_core.llm.yes_no import yes_no_logits
from rec_core.store import write_json
from rec_core.types import InputError, ProgressEvent

WHAT = ("scoring", "tuning", "all")
# Operations a second in bf16 without sparsity, from NVIDIA's data sheets of each (SXM where it is not said).
PEAKS = {
    "H200": 989e12,
    "H100 PCIe": 756e12,
    "H100": 989e12,
    "A100": 312e12,
    "L40S": 362e12,
    "A40": 150e12,
    "L4": 121e12,
}


# --- scoring ------------------------------------------------------------------------------------------------


def published_logits(reader: Reader, model: Any, texts: Sequence[str]) -> np.ndarray:
    """Return the logits (B, 2) as RALLRec's code gets them: it generates two tokens, prompt by prompt."""
    pairs = []
    for text in texts:
        encoded = reader.tokenizer(text, return_tensors="pt").to(model.device)
        with torch.no_grad():
            made = model.generate(
                input_ids=encoded["input_ids"],
                attention_mask=encoded["attention_mask"],
                max_new_tokens=2,
                do_sample=False,
                output_scores=True,
                return_dict_in_generate=True,
                pad_token_id=reader.tokenizer.pad_token_id,
            )
        pairs.append(made.scores[0][0, [reader.tokens.yes, reader.tokens.no]].float().cpu().numpy())
    return np.stack(pairs)


@dataclass(frozen=True)
class Scored:
    """The logits of one turn, and the seconds it took: on the clock, and of this process on all its cores."""

    logits: np.ndarray
    wall: float
    cpu: float

    @classmethod
    def by(cls, work: Callable[[], np.ndarray]) -> Scored:
        """Run and time."""
        wall, cpu = time.perf_counter(), time.process_time()
        logits = work()
        return cls(logits, time.perf_counter() - wall, time.process_time() - cpu)


def scoring_rows(reader: Reader, case: PromptCase, n_sample: int, rounds: int) -> list[dict[str, Any]]:
    """Return prompts and tokens per second of both, and how far their logits are apart.

    Tokens are those of whole prompts on both sides, also where ours reads a common beginning once. A CPU
    second leaves out what other processes took: on a busy machine it is the fairer clock for one thread.
    """
    model, texts = reader.adapted().eval(), reader.wrapped(case.prompts)
    picked = np.linspace(0, len(texts) - 1, min(n_sample, len(texts))).astype(int)
    sample = [texts[i] for i in picked]
    ways: set[str] = set()

    def ours(_turn: int) -> Scored:
        def hear(event: ProgressEvent) -> None:
            ways.add(event.message)

        return Scored.by(lambda: yes_no_logits(model, reader.tokenizer, texts, reader.tokens, progress=hear))

    published_logits(reader, model, sample[:2])  # what a first call loads is nobody's speed
    found = alternate(
        {"ours": ours, "peer": lambda _turn: Scored.by(lambda: published_logits(reader, model, sample))},
        rounds,
    )
    lengths = np.array([len(reader.tokenizer.encode(text)) for text in texts])
    sizes = {"n_prompts": len(texts), "n_sample": len(sample), "way": ", ".join(sorted(ways))}
    prompts, tokens = (len(texts), len(sample)), (int(lengths.sum()), int(lengths[picked].sum()))
    speeds = [("prompts per second", "wall", prompts), ("tokens per second", "wall", tokens)]
    if model.device.type == "cpu":
        speeds.append(("prompts per CPU second", "cpu", prompts))
    apart = float(np.abs(found["ours"][0].logits[picked] - found["peer"][0].logits).max())
    return [
        *(
            row(case.name, metric, "1/s", *_per_second(found, clock, done), True, **sizes)
            for metric, clock, done in speeds
        ),
        row(case.name, "largest difference of logits", "", apart, None, False, **sizes),
    ]


def _per_second(found: dict[str, list[Scored]], clock: str, done: tuple[int, int]) -> list[float]:
    """Return what each side did per second, by the median of its turns."""
    seconds = [float(np.median([getattr(turn, clock) for turn in found[side]])) for side in ("ours", "peer")]
    return [n / taken for n, taken in zip(done, seconds, strict=True)]


# --- tuning -------------------------------------------------------------------------------------------------


class Steps:
    """The steps of one training: losses, when each ended, and which rows it saw."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.ends: list[float] = []
        self.batches: list[list[int]] = []

    def ended(self, loss: float) -> None:
        """Note the end of a step."""
        self.losses.append(loss)
        self.ends.append(time.perf_counter())

    def per_second(self, sizes: Sequence[int]) -> float:
        """Return the sum of the rows' sizes per second, the first step (a warm-up) left out."""
        seen = sum(sizes[i] for batch in self.batches[1:] for i in batch)
        return seen / (self.ends[-1] - self.ends[0])


def our_steps(reader: Reader, rows: Sequence[TokenRow], config: TrainerConfig) -> Steps:
    """Train an adapter by `fit_causal`."""
    model, steps = reader.adapted(dropout=0.0), Steps()

    def heard(event: ProgressEvent) -> None:
        steps.ended(event.metrics["loss"])

    with _rows_read(model, rows, reader.tokenizer.pad_token_id, steps), tempfile.TemporaryDirectory() as work:
        fit_causal(
            model,
            rows,
            reader.tokenizer.pad_token_id,
            config,
            Path(work),
            seed=0,
            stage="tuning",
            progress=heard,
        )
    return steps


@contextmanager
def _rows_read(model: Any, rows: Sequence[TokenRow], pad: int, steps: Steps):
    """Note which rows each forward pass reads, found by their tokens, with or without the last."""
    number = {tuple(ids): i for i, line in enumerate(rows) for ids in (line.ids, line.ids[:-1])}

    def note(embedding: Any, args: tuple[torch.Tensor, ...]) -> None:
        if not embedding.training:  # what a training looks at before its first step is no step
            return
        read = [tuple(token for token in line if token != pad) for line in args[0].tolist()]
        steps.batches.append([number[line] for line in read])

    hook = model.get_input_embeddings().register_forward_pre_hook(note)
    try:
        yield
    finally:
        hook.remove()


def plain_steps(
    reader: Reader, rows: Sequence[TokenRow], batches: Sequence[Sequence[int]], config: TrainerConfig
) -> Steps:
    """Train the same adapter in a plain loop: rows as long as the longest, logits at every position.

    Optimiser and schedule are the Trainer's: AdamW, linear decay, gradients clipped at norm 1.
    """
    model, steps = reader.adapted(dropout=0.0).train(), Steps()
    steps.batches = [list(batch) for batch in batches]
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=config.learning_rate, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 - step / len(batches))
    width = max(len(line.ids) for line in rows)
    in_bf16 = model.dtype == torch.bfloat16 and model.device.type == "cuda"
    for batch in batches:
        ids, mask, labels = _padded([rows[i] for i in batch], width, reader.tokenizer.pad_token_id)
        with torch.autocast(model.device.type, torch.bfloat16, enabled=in_bf16):
            logits = model(input_ids=ids.to(model.device), attention_mask=mask.to(model.device)).logits
        predicted = logits[:, :-1].flatten(0, 1).float()
        loss = torch.nn.functional.cross_entropy(predicted, labels[:, 1:].flatten().to(model.device))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        schedule.step()
        steps.ended(loss.item())
    return steps


def _padded(
    rows: Sequence[TokenRow], width: int, pad: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return token numbers, mask and labels (B, T), padded on the right."""
    ids = torch.full((len(rows), width), pad)
    mask = torch.zeros((len(rows), width), dtype=torch.long)
    labels = torch.full((len(rows), width), -100)
    for i, line in enumerate(rows):
        n = len(line.ids)
        ids[i, :n] = torch.tensor(line.ids)
        mask[i, :n] = 1
        labels[i, n - line.n_targets : n] = ids[i, n - line.n_targets : n]
    return ids, mask, labels


def tuning_rows(
    reader: Reader, case: PromptCase, n_rows: int, batch_size: int, rounds: int
) -> list[dict[str, Any]]:
    """Return samples per second, how far the losses are apart, and on CUDA the share of the peak."""
    rows = reader.training_rows(case, n_rows)
    config = TrainerConfig(batch_size=batch_size, checkpoint_steps=10**6)
    latest: list[Steps] = []

    def ours(_turn: int) -> Steps:
        latest.append(our_steps(reader, rows, config))
        return latest[-1]

    found = alternate(
        {"ours": ours, "peer": lambda _turn: plain_steps(reader, rows, latest[-1].batches, config)}, rounds
    )
    speeds = [
        float(np.median([steps.per_second([1] * len(rows)) for steps in found[side]]))
        for side in ("ours", "peer")
    ]
    apart = np.abs(np.subtract(found["ours"][0].losses, found["peer"][0].losses)).max()
    lengths = [len(line.ids) for line in rows]
    sizes = {"n_rows": len(rows), "batch_size": batch_size, "longest": max(lengths), "mean": np.mean(lengths)}
    lines = [
        row(case.name, "tuning samples per second", "1/s", *speeds, True, **sizes),
        row(case.name, "largest difference of losses", "", float(apart), None, False, **sizes),
    ]
    peak = peak_of(_device_name())
    if peak is None:
        return lines
    tokens = [
        float(np.median([steps.per_second(lengths) for steps in found[side]])) for side in ("ours", "peer")
    ]
    n_parameters = sum(weight.numel() for weight in reader.model.parameters())
    shares = [6 * n_parameters * speed / peak for speed in tokens]
    return [*lines, row(case.name, "share of the bf16 peak", "", *shares, True, device=_device_name())]


def peak_of(device_name: str) -> float | None:
    """Return a device's bf16 operations a second, None for one that the table does not know."""
    return next((peak for name, peak in PEAKS.items() if re.search(rf"\b{name}\b", device_name)), None)


def _device_name() -> str:
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


# --- the command --------------------------------------------------------------------------------------------


def main(
    data: Annotated[str, typer.Option(help="A built-in dataset.")] = "ml-100k",
    what: Annotated[str, typer.Option(help="scoring, tuning or all.")] = "all",
    prompts: Annotated[int, typer.Option(min=2, help="Prompts of each kind.")] = 10_000,
    k: Annotated[int, typer.Option(min=1, help="History items shown.")] = 30,
    model: Annotated[str, typer.Option(help="Folder or name; without: a small random Llama.")] = "",
    sample: Annotated[int, typer.Option(min=2, help="Prompts scored the published way.")] = 500,
    rows: Annotated[int, typer.Option(min=2, help="Training rows.")] = 512,
    batch_size: Annotated[int, typer.Option(min=1, help="Training rows per step.")] = 16,
    threads: Annotated[int, typer.Option(min=1, help="Threads of both.")] = 2,
    rounds: Annotated[int, typer.Option(min=1, help="Turns.")] = 3,
    seed: Annotated[int, typer.Option(help="Decides users, candidates and vectors.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Also write the result to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Compare our scoring and tuning with the published way."""
    set_threads(threads)
    found: list[dict[str, Any]] = []

    def add(lines: list[dict[str, Any]]) -> None:
        found.extend(lines)
        if not as_json:
            show(lines)

    try:
        if what not in WHAT:
            raise InputError(f"--what cannot be {what!r}; give {', '.join(WHAT)}.")
        cases = prompt_cases(data, prompts, k, seed)
        reader = load_reader(model, data, seed)
        for case in cases if what != "tuning" else []:
            add(scoring_rows(reader, case, sample, rounds))
        for case in cases[:2] if what != "scoring" else []:  # the test questions: their answers are known
            add(tuning_rows(reader, case, rows, batch_size, rounds))
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from None
    result = {"benchmark": "llm", "machine": machine(), "threads": threads, "rows": found}
    if peak_of(_device_name()) is None:
        result["left_out"] = {"share of the bf16 peak": f"no peak is known for this device, {_device_name()}"}
    if out:
        write_json(out, result)
    if as_json:
        print(json.dumps(result))


if __name__ == "__main__":
    typer.run(main)
