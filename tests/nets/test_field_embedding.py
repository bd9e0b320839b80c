"""Field vectors and first-order weights against loops over codes."""

import pytest
import torch

from rec_core.nets.field_embedding import FieldEmbedding, FieldSizes, WindowMean

SIZES = FieldSizes(singles=(4, 3, 5), bags=(3, 2), n_history_codes=6)


def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Three rows; the second has no genre and no history, the third repeats a history item."""
    codes = torch.tensor([[1, 5, 8], [3, 4, 7], [2, 6, 11]])
    counts = torch.tensor([[1.0, 0, 1, 2, 1], [0, 0, 0, 0, 0], [0, 1, 0, 0, 3]])
    window = torch.tensor([[3, 1, 0, 0], [0, 0, 0, 0], [5, 5, 2, 0]])
    return codes, counts, window


def module(**changes) -> FieldEmbedding:
    return FieldEmbedding(SIZES, 4, torch.Generator().manual_seed(0), **changes).double()


def doubled():
    codes, counts, window = batch()
    return codes, counts.double(), window


def naive_bags(row: int) -> list[list[tuple[str, int]]]:
    """The members of each bag as (table, row of the table), repeated as often as they count."""
    _, counts, window = batch()
    genres = [("bags", i) for i in range(3) for _ in range(int(counts[row, i]))]
    ratings = [("bags", i) for i in range(3, 5) for _ in range(int(counts[row, i]))]
    history = [("history", int(code)) for code in window[row] if code]
    return [genres, ratings, history]


def test_vectors_equal_a_loop():
    net = module()
    got = net(doubled())
    assert got.shape == (3, 6, 4) == (3, SIZES.n_fields, 4) and net.width == 24
    for row, codes in enumerate(batch()[0].tolist()):
        for field, code in enumerate(codes):
            assert torch.equal(got[row, field], net.vectors["singles"][code])
        for bag, members in enumerate(naive_bags(row), start=3):
            want = torch.zeros(4, dtype=torch.float64)
            for table, place in members:
                want += net.vectors[table][place] / len(members)
            torch.testing.assert_close(got[row, bag], want)


@pytest.mark.parametrize("bag_weight", ["mean", "sum"])
def test_first_order_equals_a_loop(bag_weight):
    net = module(bag_weight=bag_weight)
    with torch.no_grad():
        net.bias.fill_(0.7)
    got = net.first_order(doubled()).detach()
    for row, codes in enumerate(batch()[0].tolist()):
        want = 0.7 + sum(float(net.weights["singles"][code].detach()) for code in codes)
        for members in naive_bags(row):
            total = sum(float(net.weights[table][place].detach()) for table, place in members)
            want += total / max(len(members), 1) if bag_weight == "mean" else total
        assert float(got[row]) == pytest.approx(want, abs=1e-12)


def test_unknown_starts_at_zero_and_the_rest_does_not():
    net = module()
    for tables in (net.vectors, net.weights):
        zero = (tables["singles"] == 0).all(dim=1)
        assert zero.nonzero().flatten().tolist() == [0, 4, 7]
        assert (tables["bags"] != 0).all() and (tables["history"] != 0).all()


def test_initial_spread_is_xavier_of_each_table():
    net = FieldEmbedding(FieldSizes((4000, 1000), (), 0), 16, torch.Generator().manual_seed(0))
    assert float(net.vectors["singles"].detach().std()) == pytest.approx((2 / 5016) ** 0.5, rel=0.02)
    assert float(net.weights["singles"].detach().std()) == pytest.approx((2 / 5001) ** 0.5, rel=0.05)
    assert set(net.vectors) == {"singles"}


def test_without_first_order_there_are_no_weights():
    names = {name for name, _ in module(first_order=False).named_parameters()}
    assert names == {"vectors.singles", "vectors.bags", "vectors.history"}


def test_a_net_without_bags_and_history_reads_codes_alone():
    sizes = FieldSizes((4, 3, 5), (), 1)
    net = FieldEmbedding(sizes, 4, torch.Generator().manual_seed(0))
    codes = batch()[0]
    nothing = torch.zeros(3, 0)
    assert net((codes, nothing, nothing.long())).shape == (3, 3, 4)
    assert net.first_order((codes, nothing, nothing.long())).shape == (3,)


def test_the_gradient_of_a_window_mean_is_right_and_skips_empty_places():
    table = torch.randn(6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    table.requires_grad_()
    window = batch()[2]
    assert torch.autograd.gradcheck(lambda t: WindowMean.apply(t, window), (table,))
    WindowMean.apply(table, window).sum().backward()
    assert not table.grad[[0, 4]].any()  # the empty place, and an item that is in no window
    torch.testing.assert_close(table.grad[5], torch.full((3,), 2 / 3, dtype=torch.float64))


def test_every_table_gets_a_gradient():
    net = module()
    (net(doubled()).square().sum() + net.first_order(doubled()).square().sum()).backward()
    assert all(p.grad is not None and p.grad.any() for p in net.parameters())
