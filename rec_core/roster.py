"""The plain table of systems: what each is, where it lives, what it can do."""

from __future__ import annotations

from dataclasses import dataclass

from rec_core.types import InputError


@dataclass(frozen=True)
class SystemCard:
    """One system. `module` offers `fit` and `load`; `config_path` names its config class."""

    name: str
    title: str
    paper: str
    module: str
    class_path: str
    config_path: str
    capabilities: tuple[str, ...]  # names of the Protocols in rec_core.types it satisfies
    hardware: str


SYSTEMS: tuple[SystemCard, ...] = (
    SystemCard(
        name="rallrec",
        title="RALLRec",
        paper="RALLRec: Improving Retrieval Augmented Large Language Model Recommendation with "
        "Representation Learning (arXiv 2502.06101)",
        module="rec_core.systems.rallrec_training",
        class_path="rec_core.systems.rallrec.RALLRec",
        config_path="rec_core.systems.rallrec.RALLRecConfig",
        capabilities=("Recommender", "Scorer", "EvidenceScorer", "ListChooser", "EmbeddingSource"),
        hardware="CPU with the embedded language model; a GPU for backbones of a billion parameters or more.",
    ),
)


def card(name: str) -> SystemCard:
    """Return the card of a system.

    Raises:
        InputError: there is none of that name.
    """
    for entry in SYSTEMS:
        if entry.name == name:
            return entry
    names = ", ".join(entry.name for entry in SYSTEMS)
    raise InputError(f"There is no system {name!r}; choose one of: {names}.")


def with_capability(capability: str) -> list[SystemCard]:
    """Return the systems that satisfy a Protocol of `rec_core.types`."""
    return [entry for entry in SYSTEMS if capability in entry.capabilities]
