"""Training rows of like questions, and an adapter tuned on them."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from rec_core.device import Choice
from rec_core.llm.answer_tokens import answer_tokens
from rec_core.llm.backbone import Backbone
from rec_core.llm.causal_trainer import TrainerConfig
from rec_core.llm.lora import LoraConfig, adapter_delta
from rec_core.retrieval.similarity import CosineSimilarity
from rec_core.systems.evidence import reordered, select_evidence
from rec_core.systems.like_tuning import TuningConfig, tune, tuning_retrievers, tuning_rows
from rec_core.systems.prompting import Prompter
from rec_core.systems.retrievers import Recent, Similar
from rec_core.types import InputError, ignore_progress


@pytest.fixture
def rows_of(planted, requests, samples, values):
    """A function that gives the rows for a tokenizer and an augmentation."""

    def make(tokenizer, augmentation="paper", top_k=4, max_length=4000, **more):
        backbone = SimpleNamespace(tokenizer=tokenizer)
        prompter = Prompter(planted)
        shown = tuning_retrievers(CosineSimilarity(values), augmentation)
        return tuning_rows(prompter, backbone, requests, samples.labels, shown, top_k, max_length, **more)

    return make


def test_targets_are_exactly_the_answer(rows_of, film_tokenizer, samples):
    rows = rows_of(film_tokenizer, "none")
    assert len(rows) == len(samples) and 0 < samples.labels.sum() < len(samples)
    for row, label in zip(rows, samples.labels, strict=True):
        targets = film_tokenizer.decode(row.ids[-row.n_targets :])
        prompt = film_tokenizer.decode(row.ids[: -row.n_targets])
        assert targets == (" Yes." if label else " No.")
        assert prompt.startswith("<s>") and prompt.endswith("\nAnswer:") and prompt.count("Answer:") == 1


@pytest.mark.parametrize(
    "words", [("Yes", "No"), (" Yes", " No"), ("yes", "no"), (" Yes", " No", " Yes.", " No.")]
)
@pytest.mark.parametrize("chat", [False, True])
def test_the_first_target_is_the_token_that_is_scored(rows_of, spelling, samples, words, chat):
    tokenizer, lead = spelling(*words), "Answer:"
    if chat:
        tokenizer.chat_template = "{% for m in messages %}[{{ m.content }}]{% endfor %}{{ '\n' }}"
        lead = "[Answer:]\n"
    tokens = answer_tokens(tokenizer, lead)
    for row, label in zip(rows_of(tokenizer, "none"), samples.labels, strict=True):
        assert row.ids[-row.n_targets] == (tokens.yes if label else tokens.no)
        assert "".join(tokenizer.convert_ids_to_tokens(row.ids[: -row.n_targets])).endswith(lead.lstrip("["))


def test_augmentation_shows_the_same_evidence_in_time_order_and_recent_items(
    planted, rows_of, film_tokenizer, requests, values
):
    kinds = ("none", "paper", "three_way", "mixed", "recent")
    plain, paper, three, mixed, recent_only = (rows_of(film_tokenizer, kind) for kind in kinds)
    assert paper[0::2] == plain == three[0::3] and paper[1::2] == three[1::3]
    assert mixed[0::2] == recent_only == three[2::3] and mixed[1::2] == paper[1::2]
    prompter = Prompter(planted)
    similar = select_evidence(requests, Similar(CosineSimilarity(values), "relevance"), 4)
    recent = select_evidence(requests, Recent(), 4)
    for i, request in enumerate(requests):
        expected = [
            prompter.like(request, similar[i], "relevance"),
            prompter.like(request, reordered(similar[i], "chronological"), "chronological"),
            prompter.like(request, recent[i], "chronological"),
        ]
        for row, prompt in zip(three[3 * i : 3 * i + 3], expected, strict=True):
            assert row.ids[: -row.n_targets] == film_tokenizer.encode(prompt.text)


def test_the_published_second_begin_token_makes_the_prompts_last_token_a_target(rows_of, film_tokenizer):
    plain, doubled = rows_of(film_tokenizer, "none"), rows_of(film_tokenizer, "none", double_bos=True)
    begin = film_tokenizer.bos_token_id
    for row, twice in zip(plain, doubled, strict=True):
        assert row.ids[0] == begin != row.ids[1] and twice.ids == [begin, *row.ids]
        assert twice.n_targets == row.n_targets + 1
    bare = SimpleNamespace(**{name: getattr(film_tokenizer, name) for name in ("encode", "chat_template")})
    bare.bos_token_id = None
    with pytest.raises(InputError, match="double_bos"):
        rows_of(bare, "none", double_bos=True)


def test_long_prompts_lose_history_but_never_the_question(rows_of, film_tokenizer, planted, requests):
    titles = Prompter(planted).titles
    longest = max(len(row.ids) for row in rows_of(film_tokenizer, "none"))
    for row, request in zip(rows_of(film_tokenizer, "none", max_length=longest - 4), requests, strict=True):
        assert len(row.ids) - row.n_targets <= longest - 4
        assert f"{titles[request.item_num]}\nAnswer:" in film_tokenizer.decode(row.ids)


def test_tuning_writes_an_adapter_that_learned(rows_of, film_tokenizer, tmp_path):
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
                    num_key_value_heads=2, vocab_size=len(film_tokenizer))
    )  # fmt: skip
    backbone = Backbone(model, film_tokenizer, Choice("cpu", "fp32", ""), "tiny")
    config = TuningConfig(lora=LoraConfig(rank=2), training=TrainerConfig(batch_size=6, learning_rate=1e-2))
    rows = rows_of(film_tokenizer)
    delta = tune(backbone, rows, config, tmp_path / "adapter", tmp_path / "work", 0, ignore_progress)
    assert delta == adapter_delta(tmp_path / "adapter") > 0
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".new-")]


@pytest.fixture
def backbone(film_tokenizer):
    from transformers import LlamaConfig, LlamaForCausalLM

    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(film_tokenizer), num_key_value_heads=2, **shape))
    return Backbone(model, film_tokenizer, Choice("cpu", "fp32", ""), "tiny")


def test_an_adapter_that_learned_nothing_is_not_kept(
    rows_of, backbone, film_tokenizer, tmp_path, monkeypatch
):
    monkeypatch.setattr("rec_core.systems.like_tuning.fit_causal", lambda *_args: 0.0)
    with pytest.raises(RuntimeError, match="no gradient"):
        tune(
            backbone,
            rows_of(film_tokenizer),
            TuningConfig(),
            tmp_path / "adapter",
            tmp_path / "work",
            0,
            ignore_progress,
        )
    assert not (tmp_path / "adapter").exists()
    assert np.array_equal(list(tmp_path.iterdir()), [])


def test_a_tuning_that_does_not_fit_is_refused_before_it_starts(
    rows_of, backbone, film_tokenizer, tmp_path, monkeypatch
):
    monkeypatch.setattr("rec_core.llm.memory_preflight.available", lambda device: 1000)
    with pytest.raises(InputError, match="lower batch_size"):
        tune(
            backbone,
            rows_of(film_tokenizer),
            TuningConfig(),
            tmp_path / "a",
            tmp_path / "w",
            0,
            ignore_progress,
        )
    assert not (tmp_path / "w").exists()
