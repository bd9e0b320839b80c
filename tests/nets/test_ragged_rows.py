"""Ragged rows: what is real, where it stands, and back again."""

import pytest
import torch

from rec_core.nets.ragged_rows import RaggedRows

PAD = 9
SEQUENCES = torch.tensor([[9, 9, 4, 2], [9, 9, 9, 9], [1, 3, 0, 3], [9, 9, 9, 7]])


def test_positions_by_hand():
    rows = RaggedRows(SEQUENCES, PAD)
    assert rows.items.tolist() == [4, 2, 1, 3, 0, 3, 7]
    assert rows.rows.tolist() == [0, 0, 2, 2, 2, 2, 3]
    assert rows.lengths.tolist() == [2, 0, 4, 1] and rows.longest == 4
    assert rows.from_start.tolist() == [0, 1, 0, 1, 2, 3, 0]
    assert rows.from_end.tolist() == [1, 0, 3, 2, 1, 0, 0]
    filled, ends = rows.newest()
    assert filled.tolist() == [0, 2, 3] and rows.items[ends].tolist() == [2, 3, 7]


@pytest.mark.parametrize("sequences", [SEQUENCES, SEQUENCES[[0, 1, 3]], SEQUENCES[[2]], SEQUENCES[[1]]])
def test_right_padding_and_back(sequences: torch.Tensor):
    """Padding is zero, also in columns that are only there for a longer row; empty columns are cut off."""
    rows = RaggedRows(sequences, PAD)
    packed = torch.arange(1.0, 2 * len(rows.items) + 1).view(-1, 2).requires_grad_()
    padded = rows.pad_right(packed)
    assert padded.shape == (len(sequences), max(int(rows.lengths.max()), 1), 2)
    for row, length in enumerate(rows.lengths.tolist()):
        mine = packed[rows.rows == row]
        assert torch.equal(padded[row, :length], mine) and not padded[row, length:].any()
    assert torch.equal(rows.pack(padded), packed)
    (rows.pack(padded * 3) * 2).sum().backward()
    assert packed.grad is not None and torch.equal(packed.grad, torch.full_like(packed, 6.0))


def test_no_rows_at_all():
    rows = RaggedRows(SEQUENCES[:0], PAD)
    assert rows.pad_right(torch.zeros(0, 3)).shape == (0, 1, 3) and rows.pack(torch.zeros(0, 1, 3)).shape == (
        0,
        3,
    )
