"""Train a tiny adapter by as many processes as a launcher started: `shared_training.py FOLDER FACTS`."""

import json
import sys
from pathlib import Path

import numpy as np
import torch

from rec_core.llm.causal_trainer import TokenRow, TrainerConfig, fit_causal
from rec_core.llm.lora import LoraConfig, attach, save_adapter
from rec_core.processes import is_main, rank, share
from rec_core.store import write_json
from rec_core.types import Cancelled, Progress, ProgressEvent


def rows(n: int, seed: int) -> list[TokenRow]:
    """Rows of 4 to 30 tokens with 1 to 3 targets."""
    rng = np.random.default_rng(seed)
    return [
        TokenRow(rng.integers(3, 60, int(rng.integers(4, 31))).tolist(), int(rng.integers(1, 4)))
        for _ in range(n)
    ]


def fresh(dropout: float):
    """The same random Llama and adapter in every process."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    base = LlamaForCausalLM(LlamaConfig(vocab_size=60, initializer_range=0.3, **shape))
    return attach(base, LoraConfig(rank=2, dropout=dropout), 0)


def fit(folder: Path, facts: dict, progress: Progress) -> dict:
    """Train a fresh adapter, save it and return the loss, the rows looked at here and the seed of dropout."""
    data = rows(13, 0)
    config = TrainerConfig.from_values(facts["config"])
    model = fresh(facts.get("dropout", 0.0))
    looked_at: list[int] = []
    model.get_input_embeddings().register_forward_pre_hook(
        lambda layer, inputs: None if layer.training else looked_at.append(len(inputs[0]))
    )
    loss = fit_causal(model, data, 2, config, folder / "work", 1, "fit", progress, data[:7])
    seed = torch.initial_seed()
    save_adapter(model, folder / "adapter")
    return {"loss": loss, "looked_at": sum(looked_at), "seed": seed}


def main(folder: Path, facts: dict) -> None:
    """Train (after a cut, again) and write what was reported; every process leaves a line of its own."""
    torch.set_num_threads(1)
    if facts.get("as_accelerators"):
        _pass_for_accelerators()
    share("hello")  # as a run does before it trains
    first: list[ProgressEvent] = []
    ended = ""

    def interrupt(event: ProgressEvent) -> None:
        first.append(event)
        if event.step == facts["cut_after"]:
            raise Cancelled("enough")

    if "cut_after" in facts:
        try:
            fit(folder, facts, interrupt)
        except Cancelled as cancelled:
            ended = str(cancelled)
    events: list[ProgressEvent] = []
    found = fit(folder, facts, events.append)
    told = [(event.step, event.total, event.metrics) for event in events]
    if is_main():
        write_json(folder / "told.json", {"loss": found["loss"], "events": told})
    write_json(folder / f"process-{rank()}.json", {"ended": ended, "events": len(first) + len(told)} | found)


def _pass_for_accelerators() -> None:
    """Let accelerate take CPU processes for GPUs: it knows sharding (FSDP) only there; torch knows it on both."""
    import accelerate.state
    from accelerate.utils import DistributedType

    usual = accelerate.state.PartialState.__init__

    def init(self, *args, **kwargs) -> None:
        usual(self, *args, **kwargs)
        if self.distributed_type == DistributedType.MULTI_CPU:
            self.distributed_type = DistributedType.MULTI_GPU

    accelerate.state.PartialState.__init__ = init


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
