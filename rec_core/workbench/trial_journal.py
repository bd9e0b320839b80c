"""The finished trials of a search, a JSON line each below a first one, and the proposal that follows.

Intuition: a proposal depends on the search's seed, the number of the trial and the finished trials before it,
on nothing that lives in memory. A search that was killed and taken up again therefore proposes what an
uninterrupted one would, and a trial that was not finished leaves no trace.

Paper: tree-structured Parzen estimator, Bergstra et al., Algorithms for Hyper-Parameter Optimization (NeurIPS
2011), section 4, as optuna has it. The first ten trials are drawn at random.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rec_core.config import Between, Range
from rec_core.seeding import derive_seed

if TYPE_CHECKING:
    import optuna

_FILE, _STUDY = "trials.jsonl", "tuning"


@dataclass(frozen=True)
class Trial:
    """One training. `value` is the validation metric, higher is better; None: it failed, `error` says why."""

    number: int
    values: dict[str, Any]  # field -> value
    value: float | None
    seconds: float
    error: str = ""

    @property
    def state(self) -> str:
        """Return "done" or "failed"."""
        return "failed" if self.value is None else "done"


class TrialJournal:
    """Read, propose and add trials; one process at a time.

    Args:
        folder: where the journal is, or will be.
        ranges: what is searched, by field.
        seed: of the search.
    """

    def __init__(self, folder: Path, ranges: dict[str, Range], seed: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._optuna = optuna
        self._seed = seed
        self._distributions = {name: _distribution(limits) for name, limits in ranges.items()}
        storage = optuna.storages.JournalStorage(_whole_file(folder / _FILE))
        if not storage.get_all_studies():
            optuna.create_study(storage=storage, study_name=_STUDY, direction="maximize")
        self._study = optuna.load_study(storage=storage, study_name=_STUDY)

    @property
    def trials(self) -> list[Trial]:
        """Return the finished trials in order."""
        return [
            Trial(trial.number, trial.params, trial.value, **trial.user_attrs)
            for trial in self._study.get_trials(deepcopy=False)
        ]

    def propose(self) -> dict[str, Any]:
        """Return the values of the next trial."""
        finished = self._study.get_trials(deepcopy=False)
        seed = derive_seed(self._seed, "tuning", len(finished)) % 2**32  # numpy's old generator takes 32 bits
        sampler = self._optuna.samplers.TPESampler(seed=seed)
        memory = self._optuna.create_study(sampler=sampler, direction="maximize")
        memory.add_trials(finished)
        return dict(memory.ask(fixed_distributions=self._distributions).params)

    def add(self, values: dict[str, Any], value: float | None, seconds: float, error: str = "") -> None:
        """Write a finished trial; `value` None: it failed."""
        state = self._optuna.trial.TrialState
        self._study.add_trial(
            self._optuna.create_trial(
                state=state.FAIL if value is None else state.COMPLETE,
                params=values,
                distributions=self._distributions,
                value=value,
                user_attrs={"seconds": seconds, "error": error},
            )
        )


def _distribution(limits: Range) -> optuna.distributions.BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if not isinstance(limits, Between):
        return CategoricalDistribution(limits.values)
    if isinstance(limits.low, int) and isinstance(limits.high, int):
        return IntDistribution(limits.low, limits.high, log=limits.log)
    return FloatDistribution(limits.low, limits.high, log=limits.log)


def _whole_file(path: Path) -> optuna.storages.journal.JournalFileBackend:
    """Return the journal without what a kill in the middle of a write may have left: half a line, a lock."""
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    lock = JournalFileOpenLock(str(path))
    for left in path.parent.glob(f"{path.name}.lock*"):
        left.unlink()
    if path.exists() and not (lines := path.read_bytes()).endswith(b"\n"):
        with path.open("r+b") as file:
            file.truncate(lines.rfind(b"\n") + 1)
    return JournalFileBackend(str(path), lock)
