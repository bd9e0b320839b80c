"""The plain table of systems: what each is, where it lives, what it can do."""

from __future__ import annotations

from dataclasses import dataclass

from rec_core.types import InputError


@dataclass(frozen=True)
class SystemCard:
    """One system. `module` offers `fit`, `load` and, where it can be tuned, `validate`."""

    name: str
    title: str
    paper: str
    module: str
    class_path: str
    config_path: str
    capabilities: tuple[str, ...]  # names of the Protocols in rec_core.types it satisfies
    headline: str  # the test metric that stands for a run in lists
    hardware: str


_ID_RECOMMENDER = ("Recommender", "Scorer")
_ID_EMBEDDING = ("Recommender", "Scorer", "EmbeddingSource")
_SECONDS = "CPU; seconds on a hundred thousand interactions."
_MINUTES = "CPU, minutes on a million interactions; CUDA where there is one."


def _ranking(
    name: str, title: str, paper: str, system: str, config: str, capabilities: tuple[str, ...], hardware: str
) -> SystemCard:
    """Return the card of a system that lives in one module named after it and is judged by full ranking."""
    module = f"rec_core.systems.{name}"
    class_path = system if "." in system else f"{module}.{system}"
    return SystemCard(
        name, title, paper, module, class_path, f"{module}.{config}", capabilities, "ndcg@10", hardware
    )


def _reader(
    name: str, title: str, paper: str, system: str, config: str, more: tuple[str, ...] = ()
) -> SystemCard:
    """Return the card of a system in which a language model reads histories; like questions judge it."""
    module = f"rec_core.systems.{name}"
    capabilities = ("Recommender", "Scorer", "EvidenceScorer", "ListChooser", *more)
    hardware = "CPU with the embedded language model; a GPU for backbones of a billion parameters or more."
    return SystemCard(
        name, title, paper, module, f"{module}.{system}", f"{module}.{config}", capabilities, "auc", hardware
    )


SYSTEMS: tuple[SystemCard, ...] = (
    _reader(
        "rallrec",
        "RALLRec",
        "RALLRec: Improving Retrieval Augmented Large Language Model Recommendation with "
        "Representation Learning (arXiv 2502.06101)",
        "RALLRec",
        "RALLRecConfig",
        ("ChannelMerger", "EmbeddingSource"),
    ),
    _reader(
        "rella",
        "ReLLa",
        "ReLLa: Retrieval-enhanced Large Language Models for Lifelong Sequential Behavior Comprehension in "
        "Recommendation (WWW 2024)",
        "ReLLa",
        "ReLLaConfig",
        ("EmbeddingSource",),
    ),
    _reader(
        "hybrid_score",
        "Hybrid-Score",
        "The Hybrid-Score baseline of RALLRec (arXiv 2502.06101), after GPT-FedRec (arXiv 2403.04256)",
        "HybridScore",
        "HybridScoreConfig",
        ("EmbeddingSource",),
    ),
    _reader(
        "zero_shot",
        "Zero-shot language model",
        "The untuned rows of ReLLa (WWW 2024) and RALLRec (arXiv 2502.06101)",
        "ZeroShot",
        "ZeroShotConfig",
    ),
    _ranking(
        "matrix_factorisation",
        "BPR matrix factorisation",
        "BPR: Bayesian Personalized Ranking from Implicit Feedback (UAI 2009)",
        "rec_core.systems.dot_product.DotProductRanking",
        "MatrixFactorisationConfig",
        _ID_EMBEDDING,
        _MINUTES,
    ),
    _ranking(
        "graph_cf",
        "LightGCN, SGL, SimGCL",
        "LightGCN (SIGIR 2020); SGL (SIGIR 2021); SimGCL (SIGIR 2022)",
        "rec_core.systems.dot_product.DotProductRanking",
        "GraphCFConfig",
        _ID_EMBEDDING,
        _MINUTES,
    ),
    _ranking(
        "sequential",
        "SASRec, GRU4Rec, Caser",
        "SASRec (ICDM 2018); GRU4Rec (ICLR 2016); Caser (WSDM 2018)",
        "SequentialRanking",
        "SequentialConfig",
        _ID_EMBEDDING,
        _MINUTES,
    ),
    _ranking(
        "amp_cf",
        "AMP-CF",
        "Explainable Recommendations via Attentive Multi-Persona Collaborative Filtering (RecSys 2020)",
        "AMPCFRanking",
        "AMPCFConfig",
        _ID_EMBEDDING,
        _MINUTES,
    ),
    _ranking(
        "ials",
        "Implicit ALS",
        "Collaborative Filtering for Implicit Feedback Datasets (ICDM 2008)",
        "IALS",
        "IALSConfig",
        _ID_EMBEDDING,
        _SECONDS,
    ),
    _ranking(
        "ease",
        "EASE",
        "Embarrassingly Shallow Autoencoders for Sparse Data (WWW 2019)",
        "EASE",
        "EASEConfig",
        _ID_RECOMMENDER,
        _SECONDS,
    ),
    _ranking(
        "item_knn",
        "Item neighbours",
        "Item-based Collaborative Filtering Recommendation Algorithms (WWW 2001)",
        "ItemKNN",
        "ItemKNNConfig",
        _ID_RECOMMENDER,
        _SECONDS,
    ),
    _ranking(
        "popularity",
        "Popularity",
        "No paper: what a recommender has to beat",
        "Popularity",
        "PopularityConfig",
        _ID_RECOMMENDER,
        _SECONDS,
    ),
    SystemCard(
        name="ctr_baselines",
        title="DeepFM, xDeepFM, DCN, DCN-v2, AutoInt",
        paper="DeepFM (IJCAI 2017); xDeepFM (KDD 2018); DCN (ADKDD 2017); DCN-v2 (WWW 2021); "
        "AutoInt (CIKM 2019)",
        module="rec_core.systems.ctr_training",
        class_path="rec_core.systems.ctr_baselines.CTRBaselines",
        config_path="rec_core.systems.ctr_baselines.CTRBaselinesConfig",
        capabilities=_ID_EMBEDDING,
        headline="auc",
        hardware=_MINUTES,
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
