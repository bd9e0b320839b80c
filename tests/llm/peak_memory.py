"""Train a Llama for two steps and print by how many bytes the process grew at most: `peak_memory.py FACTS`."""

import gc
import json
import sys
import tempfile
from pathlib import Path

import psutil
import torch

from rec_core.llm.causal_trainer import TokenRow, TrainerConfig, fit_causal
from rec_core.llm.lora import LoraConfig, attach
from rec_core.types import ignore_progress


def fit(shape: dict, tokens: int, rows: int, checkpointed: bool, tuned: str) -> None:
    """Build and train; two steps, so that the optimiser's moments are there in the second."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(**shape))
    if tuned == "adapter":
        model = attach(model, LoraConfig(), 0)
    data = [TokenRow([3 + i % 50 for i in range(tokens)], 2)] * (2 * rows)
    config = TrainerConfig(batch_size=rows, gradient_checkpointing=checkpointed, checkpoint_steps=1000)
    with tempfile.TemporaryDirectory() as folder:
        fit_causal(model, data, 0, config, Path(folder), 0, "fit", ignore_progress)


def main(facts: dict) -> None:
    """Let libraries load and a first training go by before the measured one."""
    torch.set_num_threads(1)
    tiny = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    fit({**tiny, "vocab_size": 300}, 10, 2, False, "adapter")
    gc.collect()
    before = psutil.Process().memory_info().rss
    Path("/proc/self/clear_refs").write_text("5")  # forget the highest mark so far
    fit(facts["shape"], facts["tokens"], facts["rows"], facts["checkpointed"], facts["tuned"])
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    sys.stdout.write(json.dumps(int(lines["VmHWM"].split()[0]) * 1024 - before))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
