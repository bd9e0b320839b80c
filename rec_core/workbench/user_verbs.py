"""The verb that puts faces to a mean: the test users a run served best and worst."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from rec_core.data.item_texts import title_text
from rec_core.store import Workspace
from rec_core.types import InputError
from rec_core.workbench.capability_verbs import card_of, config_of_run
from rec_core.workbench.data_verbs import load_dataset
from rec_core.workbench.run_verbs import open_run, show_run

_NEWEST = 5  # history items named


def users_of_run(
    run_id: str, metric: str | None = None, n_users: int = 5, *, workspace: Workspace | None = None
) -> dict[str, Any]:
    """Return the test users with the highest and the lowest value of a metric, and what they were shown.

    Among equal values, users with a longer training history come first: they gave the system more to go by.

    Args:
        run_id: a finished run that was judged by ranking the catalogue.
        metric: a metric of the test; None takes the system's headline one.
        n_users: how many of each.
        workspace: where runs live.

    Returns:
        run, metric, metrics (all there are), best and worst: records of user, value, n_history, history (the
        newest training items), wanted (what was held out), recommended (the list, best first) and hits (the
        recommended titles that were wanted).

    Raises:
        InputError: the run kept no results of single users, or has no such metric.
    """
    space = workspace or Workspace.from_environment()
    file = open_run(space, run_id).path / "per_user.parquet"
    if not file.exists():
        raise InputError(
            f"Run {run_id} keeps no results of single users; choose a finished run that ranked the catalogue."
        )
    table = pd.read_parquet(file)
    names = [name for name in table.columns if name != "user_num"]
    chosen = metric or card_of(space, run_id).headline
    if chosen not in names:
        raise InputError(f"Run {run_id} has no metric {chosen!r} of single users; it has {', '.join(names)}.")
    told = _Told(space, run_id)
    n_history = np.diff(told.train.indptr)[table["user_num"]]
    sides = {}
    for side, sign in (("best", -1), ("worst", 1)):
        order = np.lexsort((table["user_num"], -n_history, sign * table[chosen]))[:n_users]
        pairs = zip(table["user_num"].iloc[order], table[chosen].iloc[order], strict=True)
        sides[side] = [told.record(int(user), float(value)) for user, value in pairs]
    return {"run": run_id, "metric": chosen, "metrics": names, **sides}


class _Told:
    """What can be said of single test users of a run."""

    def __init__(self, space: Workspace, run_id: str) -> None:
        from rec_core.systems.ranking_parts import RankingParts

        config: Any
        config, seed = config_of_run(space, run_id)
        dataset = load_dataset(str(show_run(run_id, workspace=space)["dataset"]), workspace=space)
        parts = RankingParts.of(dataset, config.task, seed)
        self.train, self._wanted = parts.histories("valid"), parts.test
        self._titles, self._ids = title_text(dataset.catalogue), dataset.interactions.user_ids
        top = pd.read_parquet(space.run_path(run_id) / "top_items.parquet").sort_values("rank")
        self._lists: dict[Any, list[int]] = top.groupby("user_num")["item_num"].agg(list).to_dict()

    def record(self, user: int, value: float) -> dict[str, Any]:
        """Return one user's record."""
        row = int(np.searchsorted(self._wanted.users, user))
        indptr, items = self._wanted.wanted
        wanted = items[indptr[row] : indptr[row + 1]].tolist()
        shown, past = self._lists.get(user, []), self.train.row(user)
        return {
            "user": str(self._ids[user]),
            "value": value,
            "n_history": len(past),
            "history": self._named(past[::-1][:_NEWEST].tolist()),
            "wanted": self._named(wanted),
            "recommended": self._named(shown),
            "hits": self._named([item for item in shown if item in wanted]),
        }

    def _named(self, items: list[int]) -> list[str]:
        return [self._titles[item] for item in items]
