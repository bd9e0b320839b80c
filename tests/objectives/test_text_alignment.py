"""TextAlignment: batches cover the catalogue, only the projector learns."""

import numpy as np
import pytest
import torch

from rec_core.losses.info_nce import symmetric_info_nce
from rec_core.nets.projector import Projector
from rec_core.objectives.text_alignment import TextAlignment


def objective(n_items: int, batch_size: int) -> TextAlignment:
    generator = torch.Generator().manual_seed(0)
    net = Projector(4, 6, 3, generator)
    text, behaviour = (
        torch.randn(n_items, 4, generator=generator),
        torch.randn(n_items, 3, generator=generator),
    )
    return TextAlignment(net, text, behaviour, 0.5, batch_size)


@pytest.mark.parametrize(("n_items", "batch_size"), [(10, 10), (10, 99), (10, 4), (14, 10), (11, 5), (1, 4)])
def test_an_epoch_is_every_item_once_in_batches_no_larger_than_asked(n_items: int, batch_size: int):
    target = objective(n_items, batch_size)
    batches = list(target.batches(np.random.default_rng(0)))
    assert sorted(torch.cat(batches).tolist()) == list(range(n_items))
    assert len(batches) == target.n_batches
    sizes = [len(batch) for batch in batches]
    assert max(sizes) <= batch_size and max(sizes) - min(sizes) <= 1


def test_the_generator_decides_the_batches():
    def order(seed: int) -> list[int]:
        return torch.cat(list(objective(20, 6).batches(np.random.default_rng(seed)))).tolist()

    assert order(0) == order(0) != order(1)


def test_loss_is_equation_5_over_the_batch_and_behaviour_stands_still():
    target = objective(8, 8)
    batch = torch.tensor([5, 0, 3])
    loss = target.loss(batch)
    expected = symmetric_info_nce(target.net(target._text[[5, 0, 3]]), target._behaviour[[5, 0, 3]], 0.5)
    assert torch.equal(loss, expected)
    loss.backward()
    assert all(p.grad is not None and p.grad.any() for p in target.net.parameters())
    assert target._behaviour.grad is None
