"""The last block at the positions that are read: the same states, and only where that is so."""

import threading
from types import MethodType

import pytest
import torch

from rec_core.llm.last_block import LastBlock, narrowed_to, proved, proved_in

IDS = torch.tensor([[5, 6, 7, 8, 9], [30, 31, 32, 33, 34]])


def states_of(body, ids=IDS):
    return body(input_ids=ids, use_cache=False).last_hidden_state


def block_of(body) -> LastBlock:
    with torch.no_grad():
        return proved(body, IDS[:1], states_of(body, IDS[:1]), 1e-5)


@pytest.fixture(params=["llama", "gpt2"])
def body(request, llama, gpt2):
    return llama().eval().model if request.param == "llama" else gpt2.transformer


@pytest.mark.parametrize("columns", [[[4], [4]], [[0], [3]], [[1, 4], [3, 0]], [[2, 3, 4], [2, 3, 4]]])
def test_the_states_that_are_read_are_those_of_a_whole_pass(body, columns):
    columns = torch.tensor(columns)
    whole = states_of(body)
    with block_of(body).at(columns):
        narrow = states_of(body)
    at = columns[:, :, None]
    torch.testing.assert_close(narrow.take_along_dim(at, 1), whole.take_along_dim(at, 1), atol=1e-5, rtol=0)
    assert (narrow - whole).abs().max() > 0.1  # the other columns are not computed
    torch.testing.assert_close(states_of(body), whole)  # and afterwards all are, again


def test_both_parts_see_the_read_columns_alone(llama):
    model, seen = llama().eval(), []
    last = model.model.layers[-1]
    for part in (last.self_attn.o_proj, last.mlp.gate_proj, model.model.layers[0].mlp.gate_proj):
        part.register_forward_hook(lambda _, args, __: seen.append(args[0].shape[1]))
    block = block_of(model.model)
    seen.clear()
    with block.at(torch.tensor([[1], [4]])):
        states_of(model.model)
    assert seen == [5, 1, 1]  # the first block, then the last one's two


@pytest.mark.parametrize("columns", [[[4], [2]], [[3, 4], [3, 4]]])
def test_gradients_are_those_of_a_whole_pass(llama, columns):
    columns, gradients = torch.tensor(columns)[:, :, None], []
    for narrow in (False, True):
        body = llama().train().model
        with narrowed_to(block_of(body) if narrow else None, columns[:, :, 0]):
            states_of(body).take_along_dim(columns, 1).pow(2).sum().backward()
        gradients.append({name: weight.grad for name, weight in body.named_parameters()})
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, atol=1e-4, rtol=1e-4, msg=name)
        assert gradient.abs().max() > 0


def test_another_thread_s_pass_is_let_be(llama):
    body, found = llama().eval().model, []
    whole = states_of(body)
    with block_of(body).at(torch.tensor([[0], [0]])):
        other = threading.Thread(target=lambda: found.append(states_of(body)))
        other.start()
        other.join()
    torch.testing.assert_close(found[0], whole)


def test_a_model_is_tried_as_it_stands_and_left_so(llama):
    model = llama().train()
    assert proved_in(model, [5, 6, 7, 8, 9]) is not None
    assert model.training and not model.model.layers[-1].mlp._forward_hooks


def mixing(mlp):
    """A feed-forward layer that looks at its neighbours, after all."""
    forward = mlp.forward
    mlp.forward = MethodType(lambda _self, states: forward(states + states.mean(dim=1, keepdim=True)), mlp)


def of_fixed_width(mlp):
    """One that counts on the width of the pass."""
    forward = mlp.forward
    mlp.forward = MethodType(lambda _self, states: forward(states.view(-1, 5, 16)), mlp)


@pytest.mark.parametrize("change", [mixing, of_fixed_width])
def test_a_block_of_another_build_is_not_narrowed(llama, change):
    body = llama().eval().model
    change(body.layers[-1].mlp)
    assert block_of(body) is None


class WithScores(torch.nn.Module):
    """A feed-forward layer that gives its router's scores as well, as mixtures of experts do."""

    def __init__(self, mlp):
        super().__init__()
        self.experts = mlp

    def forward(self, states):
        return self.experts(states), states.mean(dim=-1)


class TakesTheFirst(torch.nn.Module):
    """A block around such a layer."""

    def __init__(self, mlp):
        super().__init__()
        self.self_attn = torch.nn.Module()
        self.self_attn.o_proj = torch.nn.Linear(16, 16)
        self.mlp = WithScores(mlp)

    def forward(self, states, **_):
        return states + self.mlp(states + self.self_attn.o_proj(states))[0]


def test_a_layer_that_gives_more_than_states_is_not_narrowed(llama):
    body = llama().eval().model
    body.layers[-1] = TakesTheFirst(body.layers[-1].mlp).eval()
    assert states_of(body).shape == (2, 5, 16)
    assert block_of(body) is None


def test_a_body_without_such_modules_is_not_narrowed(llama):
    body = llama().eval().model
    body.layers[-1].feed = body.layers[-1].mlp
    del body.layers[-1].mlp
    body.layers[-1].forward = MethodType(lambda _self, states, **_: states, body.layers[-1])
    assert block_of(body) is None
    assert proved(torch.nn.Linear(2, 2), IDS[:1], torch.zeros(1, 5, 2), 1e-5) is None
