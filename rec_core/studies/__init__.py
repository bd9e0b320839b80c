"""The studies by name; one module per question, imported only when asked for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StudyCard:
    """One study: what it asks, of which paper, and where it lives; `module` offers `run`."""

    name: str
    title: str
    question: str
    paper: str
    module: str


def _card(name: str, title: str, question: str, paper: str) -> StudyCard:
    return StudyCard(name, title, question, paper, f"rec_core.studies.{name.replace('.', '_')}")


_RALLREC = "RALLRec (arXiv 2502.06101)"
STUDIES: dict[str, StudyCard] = {
    card.name: card
    for card in (
        _card(
            "rallrec.table1",
            "RALLRec, table 1",
            "Does RALLRec beat ID-based nets, an untuned model, ReLLa and Hybrid-Score?",
            f"{_RALLREC}, table 1",
        ),
        _card(
            "rallrec.table3",
            "RALLRec, table 3",
            "What do augmentation, retrieval and tuning each bring?",
            f"{_RALLREC}, table 3",
        ),
        _card(
            "rallrec.table4",
            "RALLRec, table 4",
            "Which embedding finds the better evidence: text, ID, both, both aligned?",
            f"{_RALLREC}, table 4",
        ),
        _card(
            "rallrec.figure3",
            "RALLRec, figure 3",
            "Does a longer history in the prompt help?",
            f"{_RALLREC}, figure 3",
        ),
        _card(
            "rallrec.figure4",
            "RALLRec, figure 4",
            "Does the way of mixing similar and recent items matter, in tuning and in reading?",
            f"{_RALLREC}, figure 4",
        ),
        _card(
            "rallrec.quirks",
            "Defects of published code",
            "What does each known defect of the published code do to the figures?",
            "The repositories of RALLRec and ReLLa",
        ),
        _card(
            "retrieval.quality",
            "Text retrieval and its off-by-one",
            "Is what text retrieval finds close to the target?",
            "The repositories of RALLRec and ReLLa",
        ),
        _card(
            "ctr.shots",
            "DeepFM by number of samples",
            "How many samples bring a DeepFM to RALLRec's baseline row?",
            f"ReLLa (WWW 2024); {_RALLREC}, table 1",
        ),
        _card(
            "rlmrec.lightgcn",
            "RLMRec's LightGCN",
            "Does LightGCN at the published settings reach the published recall?",
            "RLMRec (WWW 2024), table 1",
        ),
        _card(
            "yardsticks",
            "Yardsticks",
            "Do trained recommenders beat the simple ones?",
            "No paper: a gain over a weak baseline is no gain",
        ),
    )
}
