"""Ask the system again with one history item gone: what a recommendation rests on, measured, not guessed."""

from __future__ import annotations

from collections.abc import Sequence

from rec_core.types import History, InputError, Removal, Scorer, ScoreRequest


def removals(
    scorer: Scorer, request: ScoreRequest, positions: Sequence[int], titles: Sequence[str]
) -> tuple[Removal, ...]:
    """Return what the score becomes when each of these history items had never been there, in their order.

    The system recomputes everything, so another item may take the free place in its prompt. An item that
    occurs several times goes with all its rows; else its earlier row would take the place of the later one.

    Args:
        scorer: the system that scored the request; asked once, with 1 + len(positions) requests.
        request: the user, history and target.
        positions: rows of the history (0 = oldest), may be empty.
        titles: the title of each item number.

    Returns:
        One record per position; a negative change means that the item spoke for the recommendation.

    Raises:
        InputError: a position is not in the history.
    """
    history = request.history
    for position in positions:
        if not 0 <= position < len(history):
            raise InputError(
                f"There is no history item at position {position}; positions of this history run from 0 to "
                f"{len(history) - 1}."
            )
    if not len(positions):
        return ()
    asked = [request] + [
        ScoreRequest(request.user_num, _without_item(history, int(history.item_nums[p])), request.item_num)
        for p in positions
    ]
    score, *without = (float(value) for value in scorer.score(asked))
    return tuple(
        Removal(num := int(history.item_nums[p]), titles[num], int(p), value, value - score)
        for p, value in zip(positions, without, strict=True)
    )


def _without_item(history: History, item_num: int) -> History:
    keep = history.item_nums != item_num
    return History(history.item_nums[keep], history.ratings[keep], history.timestamps[keep])
