"""What every test runs under: one thread, no network, marks that say what else a test needs; and tiny models."""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported: results and times depend on it
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import string
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

if TYPE_CHECKING:
    from rec_core.types import Dataset


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = {}
    if not os.environ.get("ROSETTA_DATA"):
        missing["real"] = "set ROSETTA_DATA to the folder that holds the real datasets"
    if any(item.get_closest_marker("gpu") for item in items) and not _has_cuda():
        missing["gpu"] = "needs a CUDA device"
    for item in items:
        for mark, reason in missing.items():
            if item.get_closest_marker(mark):
                item.add_marker(pytest.mark.skip(reason=reason))


def _has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a random BERT that spells: 2 layers of width 16, one token per letter."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    letters = [*string.ascii_letters, *string.digits, *string.punctuation]
    vocab = {token: i for i, token in enumerate([*special, *letters, *(f"##{letter}" for letter in letters)])}
    spelling = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    spelling.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    spelling.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    shape = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("tiny_bert")
    BertModel(BertConfig(vocab_size=len(vocab), initializer_range=0.5, **shape)).save_pretrained(folder)
    PreTrainedTokenizerFast(tokenizer_object=spelling, **names).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def spelling() -> Callable[..., Any]:
    """A function that gives a tokenizer of single characters plus the given words, each one token."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    def make(*words: str) -> Any:
        characters = [(character, -10.0) for character in string.printable]
        vocab = [("<unk>", 0.0), *characters, *((word, -1.0) for word in words)]
        return PreTrainedTokenizerFast(
            tokenizer_object=Tokenizer(models.Unigram(vocab, unk_id=0)), unk_token="<unk>"
        )

    return make


@pytest.fixture(scope="session")
def planted() -> "Dataset":
    """30 viewers, half of whom like the even films and half the odd ones; 30 films, two genres."""
    from rec_core.data.interactions import make_interactions
    from rec_core.data.vocab import Vocab
    from rec_core.types import Catalogue, Dataset

    rng = np.random.default_rng(11)
    n_users, n_items = 30, 30
    rows = []
    for user in range(n_users):
        for place, item in enumerate(rng.permutation(n_items)[: rng.integers(16, 24)]):
            own = item % 2 == user % 2
            rating = rng.choice([4, 5]) if own else rng.choice([1, 2, 3])
            rows.append(
                (f"u{user:02}", f"f{item:02}", rating, 1_000_000 + place * 1000 + int(rng.integers(900)))
            )
    users, items, ratings, times = (np.array(column) for column in zip(*rows, strict=True))
    user_ids, item_ids = [f"u{i:02}" for i in range(n_users)], [f"f{i:02}" for i in range(n_items)]
    genres = ["Comedy" if i % 2 else "Drama" for i in range(n_items)]
    table = pd.DataFrame(
        {
            "item_id": item_ids,
            "title": [
                f"{'Merry' if i % 2 else 'Grave'} {string.ascii_uppercase[i % 26] * 2}{i}"
                for i in range(n_items)
            ],
            "year": pd.array([1950 + i for i in range(n_items)], dtype="Int64"),
            "genres": genres,
            "description": [f"A {genre.lower()} of {i} words." for i, genre in enumerate(genres)],
        }
    )
    people = pd.DataFrame(
        {"user_id": user_ids, "gender": ["woman", "man", ""] * 10, "age_group": ["25-34", ""] * 15}
    )
    return Dataset(
        name="planted",
        interactions=make_interactions(
            users, items, ratings, times, users=Vocab(user_ids), items=Vocab(item_ids)
        ),
        catalogue=Catalogue(table),
        users=people,
        source="invented",
        licence="none",
        content_hash="planted-1",
        like_threshold=3.0,
        max_rating=5.0,
        simulated=True,
    )
