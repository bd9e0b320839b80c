"""The like objective: what a question shows, two steps by hand, and planted tastes that are found."""

import numpy as np
import pytest
import torch

from rec_core.nets.dcn import DCN
from rec_core.nets.deepfm import DeepFM
from rec_core.nets.field_embedding import FieldNet, FieldSizes
from rec_core.nets.xdeepfm import XDeepFM
from rec_core.objectives.click import Click, FieldReader

# Two users with five and two log rows; items 0-3 with one genre bag of two; ratings have two values.
USER_CODES = np.array([[1, 3], [2, 4], [0, 3]])  # the last is nobody
ITEM_CODES = np.array([[6], [7], [8], [5]])
ITEM_GENRES = np.array([[1, 0], [0, 1], [1, 1], [0, 0]], dtype=np.float32)
LOG_CODES = np.array([1, 2, 3, 1, 2, 3, 1, 0], dtype=np.int32)
RATED = np.array([0, 1, 1, 0, 1, 0, 0])  # which of the two values each row has
LOG_COUNTS = np.vstack([np.zeros((1, 2)), np.cumsum(np.eye(2)[RATED], axis=0)]).astype(np.int32)
SIZES = FieldSizes((3, 2, 4), (2, 2), 4)


def reader(history_length: int = 3) -> FieldReader:
    arrays = (USER_CODES, ITEM_CODES, ITEM_GENRES, LOG_CODES, LOG_COUNTS)
    return FieldReader(*arrays, history_length, torch.device("cpu"))


def test_what_questions_show_by_hand():
    places = torch.tensor([[0, 2, 4, 3], [1, 0, 6, 1], [2, 3, 0, 0]])
    codes, counts, window = reader().read(places)
    assert codes.tolist() == [[1, 3, 8], [2, 4, 6], [0, 3, 5]]
    # rows 1-3 of the log have ratings 1, 1, 0; row 5 has 0
    assert counts.tolist() == [[1, 1, 1, 2], [1, 0, 1, 0], [0, 0, 0, 0]]
    assert window.tolist() == [[1, 3, 2], [3, 0, 0], [0, 0, 0]]  # newest first


def test_without_history_the_window_is_empty():
    _, counts, window = reader(0).read(torch.tensor([[0, 2, 4, 0]]))
    assert window.shape == (1, 0) and counts.tolist() == [[1, 1, 0, 0]]


def questions(n: int = 10) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    ends = rng.integers(0, 6, n)
    places = np.stack([rng.integers(0, 2, n), rng.integers(0, 4, n), ends, np.minimum(ends, 3)], axis=1)
    return places, rng.integers(0, 2, n)


def net(dropout: float = 0.0) -> DeepFM:
    return DeepFM(SIZES, 3, [4], dropout, torch.Generator().manual_seed(0))


def objective(model: FieldNet, batch_size: int = 4, l2: float = 0.0, norm_weight: float = 0.0) -> Click:
    places, labels = questions()
    return Click(model, reader(), places, labels, batch_size, l2, norm_weight)


def test_an_epoch_is_every_question_once_and_repeats_with_its_generator():
    click, (places, labels) = objective(net()), questions()
    batches = list(click.batches(np.random.default_rng(3)))
    assert [len(asked) for asked, _ in batches] == [4, 4, 2] and click.n_batches == 3
    assert [click.weight(batch) for batch in batches] == [4, 4, 2]
    got = torch.cat([torch.cat([asked, y.long().unsqueeze(1)], dim=1) for asked, y in batches]).tolist()
    assert sorted(got) == sorted(np.column_stack([places, labels]).tolist())
    again = list(click.batches(np.random.default_rng(3)))
    assert all(
        torch.equal(a, b)
        for one, two in zip(batches, again, strict=True)
        for a, b in zip(one, two, strict=True)
    )
    other = torch.cat([asked for asked, _ in click.batches(np.random.default_rng(4))])
    assert not torch.equal(other, torch.cat([asked for asked, _ in batches]))


@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_loss_is_the_mean_over_questions(l2):
    model = net()
    click, (places, labels) = objective(model, l2=l2), questions()
    total = 0.0
    for place, label in zip(torch.from_numpy(places), labels, strict=True):
        fields = reader().read(place.unsqueeze(0))
        prob = float(model(fields).sigmoid().detach())
        total -= np.log(prob if label else 1 - prob)
        total += l2 * float(model.fields(fields).detach().square().sum()) / 2
    loss = click.loss((torch.from_numpy(places), torch.from_numpy(labels).float()))
    assert float(loss.detach()) == pytest.approx(total / len(labels), rel=1e-5)


def test_two_steps_equal_a_hand_written_update():
    """Plain gradient descent, the gradient of the mean loss taken by autograd over the naive formula."""
    model, twin = net().double(), net().double()
    click = objective(model)
    click._reader._item_counts = click._reader._item_counts.double()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.5)
    batches = list(click.batches(np.random.default_rng(0)))[:2]
    for places, labels in batches:
        optimiser.zero_grad()
        click.loss((places, labels.double())).backward()
        optimiser.step()
        codes, counts, window = reader().read(places)
        probs = twin((codes, counts.double(), window)).sigmoid()
        wanted = torch.where(labels == 1, probs, 1 - probs)
        gradients = torch.autograd.grad(-wanted.log().mean(), list(twin.parameters()))
        with torch.no_grad():
            for parameter, gradient in zip(twin.parameters(), gradients, strict=True):
                parameter -= 0.5 * gradient
    for one, other in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_norms_of_what_a_net_calls_penalised_are_added():
    """DCN: the sum over cross layers of the norm of their weights; xDeepFM: CIN and dense matrices, no biases."""
    generator = torch.Generator().manual_seed(0)
    dcn = DCN(SIZES, 3, (4,), 2, 0.0, generator)
    assert [tuple(w.shape) for w in dcn.penalised()] == [(dcn.fields.width,)] * 2
    xdeepfm = XDeepFM(SIZES, 3, (4, 5), (4, 2), 0.0, generator)
    assert [w.dim() for w in xdeepfm.penalised()] == [2] * 5
    assert net().penalised() == []
    for model in (dcn, xdeepfm):
        plain, weighed = objective(model), objective(model, norm_weight=0.3)
        batch = next(plain.batches(np.random.default_rng(0)))
        norms = sum(float(np.linalg.norm(w.detach().double().numpy())) for w in model.penalised())
        model.eval()
        difference = float((weighed.loss(batch) - plain.loss(batch)).detach())
        assert difference == pytest.approx(0.3 * norms, rel=1e-4)
