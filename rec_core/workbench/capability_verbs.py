"""What a run can be asked: the capabilities its system declares, never its name."""

from __future__ import annotations

from typing import Any

from rec_core.config import Config
from rec_core.roster import SystemCard, card, with_capability
from rec_core.store import Workspace, read_json
from rec_core.types import InputError
from rec_core.workbench.run_verbs import config_of, load_run, open_run, runs

_NAMED = 3  # runs that a sentence names
_CANNOT = {
    "Recommender": "does not recommend items",
    "Scorer": "does not score single items",
    "EvidenceScorer": "reads no chosen evidence from the history",
    "ListChooser": "does not pick from a list of candidates",
    "ChannelMerger": "does not merge similar with recent history items",
    "EmbeddingSource": "has no item vectors",
    "Explainer": "does not explain itself",
}


def capabilities(run_id: str, *, workspace: Workspace | None = None) -> tuple[str, ...]:
    """Return the capabilities of a run's system: names of the Protocols in `rec_core.types`."""
    return card_of(workspace or Workspace.from_environment(), run_id).capabilities


def runs_with(*wanted: str, workspace: Workspace | None = None) -> list[str]:
    """Return the finished runs whose systems have all these capabilities, the newest first."""
    made = runs(workspace=workspace)
    done = made[made["state"] == "done"]
    able = [set(wanted) <= set(card(system).capabilities) for system in done["system"]]
    return [str(run) for run, fits in zip(done["run"], able, strict=True) if fits]


def lacking(run_id: str, *wanted: str, workspace: Workspace | None = None) -> str:
    """Return "" when a run has all these capabilities, else one sentence on who has them, and which runs."""
    space = workspace or Workspace.from_environment()
    own = card_of(space, run_id)
    absent = [name for name in wanted if name not in own.capabilities]
    if not absent:
        return ""
    able = {c.name for c in with_capability(absent[0])}.intersection(
        *({c.name for c in with_capability(name)} for name in wanted)
    )
    others = " or ".join(filter(None, (", ".join(sorted(able)[:-1]), *sorted(able)[-1:]))) or "another system"
    here = ", ".join(runs_with(*wanted, workspace=space)[:_NAMED]) or "none yet"
    return (
        f"Run {run_id} is of {own.name}, which {_CANNOT[absent[0]]}; choose a run of {others} (here: {here})."
    )


def capable(run_id: str, *wanted: str, workspace: Workspace | None = None) -> Any:
    """Return the trained system of a finished run that has all these capabilities.

    Raises:
        InputError: the run's system lacks one (the sentence names the systems that have it), or the run is
            not finished.
    """
    sentence = lacking(run_id, *wanted, workspace=workspace)
    if sentence:
        raise InputError(sentence)
    return load_run(run_id, workspace=workspace)


def scale_of(run_id: str, *, workspace: Workspace | None = None) -> str:
    """Return what a run's scores mean: "probability" of a like, or "order" where only their order counts.

    A system judged by like questions answers with probabilities.
    """
    headline = card_of(workspace or Workspace.from_environment(), run_id).headline
    return "probability" if headline == "auc" else "order"


def card_of(space: Workspace, run_id: str) -> SystemCard:
    """Return the card of a run's system."""
    return card(str(_facts(space, run_id)["system"]))


def config_of_run(space: Workspace, run_id: str) -> tuple[Config, int]:
    """Return a run's config and seed."""
    facts = _facts(space, run_id)
    config = type(config_of(facts["system"])).load(space.run_path(run_id) / "config.yaml")
    return config, int(facts["seed"])


def _facts(space: Workspace, run_id: str) -> dict[str, Any]:
    facts: dict[str, Any] = read_json(open_run(space, run_id).path / "run.json")
    return facts
