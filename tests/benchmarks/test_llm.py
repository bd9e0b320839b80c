"""What both ways are asked, and that they are asked the same."""

import numpy as np
import pytest
import torch
import typer

from benchmarks import llm
from benchmarks.llm import (
    Scored,
    Steps,
    our_steps,
    peak_of,
    plain_steps,
    published_logits,
    scoring_rows,
    tuning_rows,
)
from benchmarks.llm_cases import CANDIDATES, PromptCase, Reader, load_reader, prompt_cases, small_llama
from rec_core.llm.answer_tokens import answer_tokens
from rec_core.llm.causal_trainer import TrainerConfig
from rec_core.llm.sample_lm import SampleLMConfig, train_tokenizer
from rec_core.types import InputError


@pytest.fixture(scope="module")
def cases() -> list[PromptCase]:
    return prompt_cases("sample", 60, 7, seed=0)


@pytest.fixture(scope="module")
def reader(cases) -> Reader:
    config = SampleLMConfig(hidden_size=16, n_layers=1, n_heads=2, vocab_size=500)
    tokenizer = train_tokenizer(cases[0].prompts, config.vocab_size)
    return Reader(small_llama(config, tokenizer), tokenizer, answer_tokens(tokenizer, "Answer:"))


def rated(prompt: str) -> list[str]:
    return [line for line in prompt.splitlines() if line.endswith((" star)", " stars)"))]


def test_prompts_show_k_items_of_four_kinds(cases):
    newest, retrieved, recommended, recommended_retrieved = cases
    assert [case.name for case in cases] == [
        "test questions, newest 7",
        "test questions, retrieved 7",
        "recommendations, newest 7",
        "recommendations, retrieved 7",
    ]
    for case in cases:
        assert len(case.prompts) == 60 and max(len(rated(prompt)) for prompt in case.prompts) == 7
        assert all(prompt.endswith("Answer:") for prompt in case.prompts)
    assert len(newest.labels) == 60 and recommended.labels is None
    assert newest.prompts != retrieved.prompts
    shown = [rated(prompt) for prompt in recommended.prompts]
    assert shown[:CANDIDATES] == [shown[0]] * CANDIDATES and shown[CANDIDATES] != shown[0]
    assert len(set(recommended.prompts)) == 60  # one user's newest items, fifty titles
    lists = [rated(prompt) for prompt in recommended_retrieved.prompts[:CANDIDATES]]
    assert len({tuple(rows) for rows in lists}) > CANDIDATES // 2


def test_the_published_way_reads_the_plain_forward_s_logits(reader, cases):
    texts = cases[0].prompts[:3]
    plain = [reader.model(torch.tensor([reader.tokenizer.encode(text)])).logits[0, -1] for text in texts]
    pair = torch.stack(plain)[:, [reader.tokens.yes, reader.tokens.no]].detach().numpy()
    np.testing.assert_allclose(published_logits(reader, reader.model, texts), pair, atol=1e-5)


def test_scoring_counts_prompts_and_tokens_of_both_sides(reader, cases, monkeypatch):
    clocks = iter([(2.0, 1.0), (0.5, 0.4), (9.0, 3.0), (0.5, 0.4), (2.0, 1.0), (0.5, 0.4)])
    monkeypatch.setattr(Scored, "by", lambda work: Scored(work(), *next(clocks)))
    prompts, tokens, cpu, apart = scoring_rows(reader, cases[0], 10, rounds=3)
    assert (prompts["ours"], prompts["peer"], prompts["ratio"]) == (60 / 2.0, 10 / 0.5, 1.5)
    assert (cpu["ours"], cpu["peer"]) == (60 / 1.0, 10 / 0.4)
    lengths = [len(reader.tokenizer.encode(text)) for text in cases[0].prompts]
    picked = np.linspace(0, 59, 10).astype(int)
    assert (tokens["ours"], tokens["peer"]) == (sum(lengths) / 2.0, sum(lengths[i] for i in picked) / 0.5)
    assert 0 <= apart["ours"] < 1e-4 and apart["peer"] is None
    assert prompts["way"].startswith("two rows of the head")


def test_training_rows_end_in_the_answer(reader, cases):
    rows = reader.training_rows(cases[0], 4)
    picked = np.linspace(0, 59, 4).astype(int)
    answers = [reader.tokens.yes if cases[0].labels[i] else reader.tokens.no for i in picked]
    assert [row.ids[-row.n_targets] for row in rows] == answers and {row.n_targets for row in rows} == {2}
    with pytest.raises(InputError, match="no answers"):
        reader.training_rows(cases[2], 4)


def test_both_trainings_see_the_same_rows_and_lose_the_same(reader, cases):
    rows = reader.training_rows(cases[0], 22)
    config = TrainerConfig(batch_size=4, learning_rate=0.05, checkpoint_steps=10**6)
    ours = our_steps(reader, rows, config)
    plain = plain_steps(reader, rows, ours.batches, config)
    assert sorted(i for batch in ours.batches for i in batch) == list(range(22))
    assert len(ours.losses) == len(ours.ends) == len(plain.ends) == 6
    np.testing.assert_allclose(ours.losses, plain.losses, atol=1e-4)
    assert np.ptp(ours.losses) > 0.01  # the weights moved, or the batches differ


def test_the_models_that_are_tuned_start_alike_and_leave_the_reader_s_alone(reader):
    one, other = (dict(reader.adapted(0.0).named_parameters()) for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert any("lora_B" in name and one[name].abs().sum() > 0 for name in one)
    assert not any("lora" in name for name, _ in reader.model.named_parameters())


def test_speed_leaves_the_first_step_out():
    steps = Steps()
    steps.batches, steps.ends = [[0, 1], [2], [0, 2]], [10.0, 11.0, 14.0]
    assert steps.per_second([1, 1, 1]) == 3 / 4
    assert steps.per_second([5, 9, 2]) == (2 + 5 + 2) / 4


def test_tuning_rows_say_what_was_padded(reader, cases):
    speed, apart = tuning_rows(reader, cases[1], 12, 4, rounds=1)
    assert speed["ratio"] > 0 and speed["n_rows"] == 12 and speed["longest"] >= speed["mean"]
    assert apart["ours"] < 1e-4


def test_peaks_are_found_by_the_device_s_name():
    assert peak_of("NVIDIA H100 PCIe") == 756e12 and peak_of("NVIDIA H100 80GB HBM3") == 989e12
    assert peak_of("NVIDIA A100-SXM4-80GB") == 312e12 and peak_of("NVIDIA L40S") == 362e12
    assert peak_of("NVIDIA RTX A4000") is None and peak_of("cpu") is None


def test_a_random_model_has_the_embedded_model_s_small_size():
    made = load_reader("", "sample", seed=0)
    assert (made.model.config.hidden_size, made.model.config.num_hidden_layers) == (128, 3)
    assert len(made.tokenizer) == made.model.config.vocab_size > 1_000


def test_a_wrong_question_is_refused(capsys):
    with pytest.raises(typer.Exit):
        llm.main(what="fast")
    assert "--what cannot be 'fast'" in capsys.readouterr().err
