"""What every sequence net keeps, whatever it is made of."""

from collections.abc import Callable

import pytest
import torch

from rec_core.nets.caser import Caser
from rec_core.nets.gru4rec import GRU4Rec
from rec_core.nets.sasrec import SASRec
from rec_core.nets.sequence_net import SequenceNet

N_ITEMS = 11
PAD = N_ITEMS
SEQUENCES = torch.tensor(
    [
        [PAD, PAD, PAD, 4, 2, 9],
        [PAD, PAD, PAD, PAD, PAD, PAD],
        [1, 3, 0, 3, 10, 5],
        [PAD, PAD, PAD, PAD, PAD, 7],
    ]
)
USERS = torch.tensor([2, 0, 1, 2])
NETS: dict[str, Callable[[torch.Generator], SequenceNet]] = {
    "sasrec": lambda g: SASRec(N_ITEMS, 6, 8, 2, 2, 12, 0.5, g),
    "sasrec of the paper": lambda g: SASRec(N_ITEMS, 8, 8, 2, 1, 8, 0.2, g, style="paper"),
    "gru4rec": lambda g: GRU4Rec(N_ITEMS, 8, 10, 2, 0.3, g),
    "caser": lambda g: Caser(N_ITEMS, 8, 3, 4, 2, 0.5, g, n_users=3),
    "caser without users": lambda g: Caser(N_ITEMS, 8, 3, 4, 2, 0.5, g),
}
every_net = pytest.mark.parametrize("name", NETS)


def spread(name: str, seed: int = 0) -> SequenceNet:
    """A net in double precision whose weights are large enough for every mistake to show."""
    net = NETS[name](torch.Generator().manual_seed(seed)).double().eval()
    generator = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64) * 0.3)
    return net


@every_net
def test_last_is_the_last_of_all(name: str):
    net = spread(name)
    states = net(SEQUENCES, USERS)
    assert states.shape[:2] == SEQUENCES.shape and not states[SEQUENCES == PAD].any()
    torch.testing.assert_close(net.last(SEQUENCES, USERS), states[:, -1])
    torch.testing.assert_close(net.read(SEQUENCES, USERS), states[SEQUENCES != PAD])
    assert not net.last(SEQUENCES, USERS)[1].any() and net.last(SEQUENCES[:1], USERS[:1]).any()


@every_net
def test_only_empty_sequences(name: str):
    net = spread(name)
    assert not net.last(SEQUENCES[[1]], USERS[[1]]).any() and not net(SEQUENCES[[1]], USERS[[1]]).any()


@every_net
def test_a_state_has_read_what_came_before_and_nothing_later(name: str):
    """Another item at place 3 changes the states from there on (while it is in reach) and none before."""
    net = spread(name)
    changed = SEQUENCES[[2]].clone()
    changed[0, 3] = 8
    difference = (net(SEQUENCES[[2]], USERS[[2]]) - net(changed, USERS[[2]]))[0].abs().amax(1)
    assert not difference[:3].any() and bool((difference[3:6] > 1e-6).all())


@every_net
def test_rows_and_columns_of_padding_around_a_sequence_change_nothing(name: str):
    net = spread(name)
    together = net(SEQUENCES, USERS)
    torch.testing.assert_close(net(SEQUENCES[[0], 3:], USERS[[0]])[0], together[0, 3:])
    torch.testing.assert_close(net.last(SEQUENCES[[3], 5:], USERS[[3]])[0], together[3, -1])


@every_net
def test_a_prefix_alone_gives_the_state_it_has_inside_the_whole(name: str):
    net = spread(name)
    if name == "sasrec of the paper":  # counts positions to the newest item: a prefix is another sequence
        return
    whole = net(SEQUENCES[[2]], USERS[[2]])[0]
    for length in range(1, 7):
        prefix = torch.cat([torch.full((1, 6 - length), PAD), SEQUENCES[[2], :length]], dim=1)
        torch.testing.assert_close(net.last(prefix, USERS[[2]])[0], whole[length - 1])


@every_net
def test_every_parameter_learns(name: str):
    net = spread(name).train()
    torch.manual_seed(0)
    states = net.read(SEQUENCES, USERS)
    (states @ net.item_vectors.T).logsumexp(1).sum().backward()
    assert net.item_vectors.shape == (N_ITEMS, states.shape[1])
    for key, parameter in net.named_parameters():
        assert parameter.grad is not None and bool(parameter.grad.any()), key


@every_net
def test_the_generator_decides_the_weights_and_no_other_is_drawn_from(name: str):
    first, again, other = (NETS[name](torch.Generator().manual_seed(s)).state_dict() for s in (0, 0, 1))
    torch.manual_seed(7)
    moved = NETS[name](torch.Generator().manual_seed(0)).state_dict()
    for key, value in first.items():
        assert torch.equal(value, again[key]) and torch.equal(value, moved[key])
    assert not torch.equal(first["items"], other["items"])


@every_net
def test_training_drops_and_evaluation_does_not(name: str):
    net = spread(name)
    assert torch.equal(net.last(SEQUENCES, USERS), net.last(SEQUENCES, USERS))
    net.train()
    assert not torch.equal(net.last(SEQUENCES, USERS), net.last(SEQUENCES, USERS))
