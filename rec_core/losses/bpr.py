"""Bayesian personalised ranking: the liked item should score above one that was not chosen."""

from __future__ import annotations

import torch


def bpr_loss(positive_scores: torch.Tensor, negative_scores: torch.Tensor) -> torch.Tensor:
    """Return mean -log sigmoid(positive - negative), lower is better.

    Paper: BPR (UAI 2009), section 4.2 without the regulariser (`l2_of_rows`).

    Args:
        positive_scores: (B,) scores of interactions that happened.
        negative_scores: (B,) scores of sampled items for the same users.
    """
    return torch.nn.functional.softplus(negative_scores - positive_scores).mean()


def l2_of_rows(*rows: torch.Tensor) -> torch.Tensor:
    """Return half the squared norm of the looked-up rows, divided by the batch size.

    Only the rows of the batch are counted, layer-0 embeddings in LightGCN's case (LightGCN's authors' code).
    An L2 over all parameters stops LightGCN from learning.

    Args:
        rows: tensors (B, D).
    """
    return sum((row.pow(2).sum() for row in rows), start=rows[0].new_zeros(())) / (2 * len(rows[0]))


def bpr_of_rows(
    nodes: torch.Tensor, users: torch.Tensor, positives: torch.Tensor, negatives: torch.Tensor
) -> torch.Tensor:
    """Return `bpr_loss` of dot products between rows of one table, lower is better.

    The same number as looking the rows up, multiplying and calling `bpr_loss`; the gradient is written by
    hand and made on the way, in one pass over the rows, which takes two thirds of autograd's time on a CPU.

    Args:
        nodes: (N, D) the table.
        users: (B,) int64 rows of the users.
        positives: (B,) int64 rows of items that were taken.
        negatives: (B,) int64 rows of items that were not.
    """
    return _BPROfRows.apply(nodes, users, positives, negatives)


class _BPROfRows(torch.autograd.Function):
    """Makes the gradient beside the value; the first backward hands it over, so that nobody copies it."""

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx,
        nodes: torch.Tensor,
        users: torch.Tensor,
        positives: torch.Tensor,
        negatives: torch.Tensor,
    ) -> torch.Tensor:
        wanted = ctx.needs_input_grad[0]  # type: ignore[attr-defined]
        ctx.save_for_backward(nodes, users, positives, negatives)
        loss, ctx.gradient = _loss_and_gradient(nodes, users, positives, negatives, wanted)  # type: ignore[attr-defined]
        return loss

    @staticmethod
    def backward(  # type: ignore[override]
        ctx: torch.autograd.function.FunctionCtx, outer: torch.Tensor
    ) -> tuple[torch.Tensor | None, ...]:
        gradient, ctx.gradient = ctx.gradient, None  # type: ignore[attr-defined]
        if gradient is None:  # handed over before
            nodes, *rows = ctx.saved_tensors  # type: ignore[attr-defined]
            _, gradient = _loss_and_gradient(nodes, rows[0], rows[1], rows[2], True)
        alone = outer.device.type == "cpu" and float(outer) == 1.0  # spares a pass over the table
        return gradient if alone else gradient * outer, None, None, None


def _loss_and_gradient(
    nodes: torch.Tensor,
    users: torch.Tensor,
    positives: torch.Tensor,
    negatives: torch.Tensor,
    wanted: bool,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return the loss and, if wanted, its gradient (N, D).

    With m = u . (i - j) and s = -sigmoid(-m) / B the gradients are s (i - j), s u and -s u.
    """
    chosen = nodes.index_select(0, users)
    apart = nodes.index_select(0, positives)
    apart -= nodes.index_select(0, negatives)
    margins = torch.linalg.vecdot(chosen, apart)
    loss = bpr_loss(margins, margins.new_zeros(()))
    if not wanted:
        return loss, None
    slopes = torch.sigmoid(-margins).div_(-len(users)).unsqueeze(1)
    gradient = torch.zeros_like(nodes)
    gradient.index_add_(0, users, apart.mul_(slopes))
    gradient.index_add_(0, positives, chosen.mul_(slopes))
    gradient.index_add_(0, negatives, chosen.neg_())  # alpha=-1 would leave the fast kernel on a CPU
    return loss, gradient
