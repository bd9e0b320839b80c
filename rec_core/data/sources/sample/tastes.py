"""What simulated viewers can care about: tastes over film features, personas over tastes, attribute effects.

Everything a viewer's liking is made of is written down here as plain tables; `simulate` only draws from them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

_ENGLISH_SPEAKING = ("United States", "United Kingdom", "Australia", "New Zealand", "Ireland", "Canada")


@dataclass(frozen=True)
class Taste:
    """A direction in the space of film features: genres, years, countries, words of the description."""

    genres: dict[str, float]
    words: tuple[str, ...]
    first_year: int = 0
    last_year: int = 9999
    era_weight: float = 0.0  # added when the film's year lies within first_year .. last_year
    abroad_weight: float = 0.0  # added when the film's country is not an English-speaking one


TASTES: dict[str, Taste] = {
    "spectacle": Taste(
        {"Action": 1.0, "Adventure": 0.9, "Science Fiction": 0.6, "Drama": -0.5},
        (
            "chase",
            "epic",
            "battle",
            "spectacle",
            "martial",
            "danger",
            "brisk",
            "exuberant",
            "mission",
            "escape",
        ),
        first_year=1977,
        era_weight=0.4,
    ),
    "dark crime": Taste(
        {"Crime": 1.0, "Thriller": 0.8, "Mystery": 0.7, "Family": -0.4},
        (
            "murder",
            "detective",
            "killer",
            "noir",
            "police",
            "gangster",
            "thief",
            "betrayal",
            "cynical",
            "tense",
            "guilt",
        ),
    ),
    "warm hearts": Taste(
        {"Romance": 1.0, "Comedy": 0.7, "Horror": -0.5, "War": -0.3},
        (
            "love",
            "wedding",
            "gentle",
            "tender",
            "warm",
            "romance",
            "romantic",
            "kindness",
            "friendship",
            "bittersweet",
        ),
    ),
    "family wonder": Taste(
        {"Animation": 1.1, "Family": 1.1, "Fantasy": 0.6, "Crime": -0.4},
        (
            "animated",
            "drawn",
            "fairy",
            "children",
            "childhood",
            "magical",
            "animal",
            "creature",
            "journey",
            "playful",
        ),
    ),
    "quiet drama": Taste(
        {"Drama": 0.9, "Action": -0.5, "Comedy": -0.3, "Science Fiction": -0.2},
        (
            "quiet",
            "slow",
            "restrained",
            "memory",
            "grief",
            "village",
            "poverty",
            "melancholy",
            "loneliness",
            "humane",
        ),
        abroad_weight=0.8,
    ),
    "uncanny": Taste(
        {"Horror": 1.2, "Science Fiction": 0.7, "Mystery": 0.6, "Romance": -0.4},
        (
            "dread",
            "horror",
            "dead",
            "nightmare",
            "fear",
            "ghost",
            "strange",
            "memory",
            "creature",
            "future",
            "identity",
        ),
    ),
    "true stories": Taste(
        {"Documentary": 1.1, "History": 0.9, "War": 0.8, "Fantasy": -0.4},
        ("footage", "interviews", "war", "political", "massacre", "real", "century", "justice", "soldier"),
    ),
    "song and stage": Taste(
        {"Music": 1.2, "Comedy": 0.4, "Western": -0.3, "War": -0.3},
        (
            "musical",
            "songs",
            "singer",
            "dancer",
            "band",
            "music",
            "stage",
            "talent",
            "performance",
            "slapstick",
        ),
    ),
    "golden age": Taste({"Western": 0.3}, ("silent", "frontier", "studio"), last_year=1965, era_weight=2.0),
    "this century": Taste({"Documentary": 0.1}, ("internet", "digital"), first_year=1998, era_weight=2.0),
}

PERSONAS: dict[str, dict[str, float]] = {
    "thrill seeker": {"spectacle": 1.0, "dark crime": 0.4, "quiet drama": -0.6},
    "night owl": {"uncanny": 1.0, "dark crime": 0.3, "warm hearts": -0.4},
    "armchair detective": {"dark crime": 1.0, "golden age": 0.4, "family wonder": -0.4},
    "romantic": {"warm hearts": 1.0, "song and stage": 0.4, "uncanny": -0.5},
    "child at heart": {"family wonder": 1.0, "spectacle": 0.3, "true stories": -0.4},
    "festival visitor": {"quiet drama": 1.0, "this century": 0.4, "spectacle": -0.6},
    "archivist": {"golden age": 1.0, "quiet drama": 0.4, "this century": -0.4},
    "witness": {"true stories": 1.0, "quiet drama": 0.3, "family wonder": -0.4},
    "song lover": {"song and stage": 1.0, "warm hearts": 0.3, "dark crime": -0.4},
    "futurist": {"uncanny": 0.6, "spectacle": 0.7, "this century": 0.5, "golden age": -0.4},
    "comfort watcher": {"warm hearts": 0.7, "family wonder": 0.7, "dark crime": -0.5},
    "moral realist": {"dark crime": 0.6, "true stories": 0.7, "song and stage": -0.4},
}

AGE_GROUPS = ("18-24", "25-34", "35-44", "45-54", "55-64", "65 and over")
OCCUPATIONS = ("teacher", "nurse", "engineer", "lawyer", "artist", "farmer", "programmer", "historian")
HOUSEHOLDS = ("alone", "couple", "with children")


@dataclass(frozen=True)
class Attribute:
    """A viewer attribute: its values, their shares, and what each adds to tastes (nothing when empty)."""

    values: tuple[str, ...]
    shares: tuple[float, ...]
    effects: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def influences(self) -> bool:
        """Tell whether any value changes any taste."""
        return bool(self.effects)


ATTRIBUTES: dict[str, Attribute] = {
    "gender": Attribute(("woman", "man", "nonbinary"), (0.47, 0.45, 0.08)),
    "age_group": Attribute(
        AGE_GROUPS,
        (0.17, 0.24, 0.2, 0.16, 0.13, 0.1),
        {
            age: {"golden age": 0.5 * step, "this century": -0.4 * step}
            for age, step in zip(AGE_GROUPS, (-1.0, -0.6, -0.2, 0.2, 0.6, 1.0), strict=True)
        },
    ),
    "occupation": Attribute(
        OCCUPATIONS,
        (0.15, 0.14, 0.14, 0.12, 0.12, 0.09, 0.14, 0.1),
        {
            "teacher": {"quiet drama": 0.45},
            "nurse": {"warm hearts": 0.5},
            "engineer": {"spectacle": 0.5},
            "lawyer": {"dark crime": 0.5},
            "artist": {"song and stage": 0.5},
            "farmer": {"warm hearts": -0.3, "true stories": 0.3},
            "programmer": {"uncanny": 0.5},
            "historian": {"true stories": 0.5},
        },
    ),
    "household": Attribute(
        HOUSEHOLDS,
        (0.34, 0.36, 0.3),
        {"alone": {"family wonder": -0.35}, "with children": {"family wonder": 0.55, "uncanny": -0.25}},
    ),
    "region": Attribute(("north", "east", "south", "west"), (0.27, 0.23, 0.26, 0.24)),
    "handedness": Attribute(("right", "left"), (0.88, 0.12)),
}


def feature_scores(films: pd.DataFrame) -> np.ndarray:
    """Return how much each film speaks to each taste, from its features alone.

    Args:
        films: I rows with title, year, genres ("Drama|War"), country and description.

    Returns:
        (I, number of tastes) float64; every column has mean 0 and standard deviation 1 over the films.
    """
    genres = [text.split("|") for text in films["genres"]]
    words = [set(re.findall(r"[a-z]+", text.lower())) for text in films["description"]]
    years = films["year"].to_numpy(int)
    abroad = ~films["country"].isin(_ENGLISH_SPEAKING).to_numpy()
    columns = []
    for taste in TASTES.values():
        by_genre = np.array([sum(taste.genres.get(g, 0) for g in each) / len(each) ** 0.5 for each in genres])
        by_word = np.array([0.4 * min(len(each.intersection(taste.words)), 2) for each in words])
        by_era = taste.era_weight * ((years >= taste.first_year) & (years <= taste.last_year))
        columns.append(by_genre + by_word + by_era + taste.abroad_weight * abroad)
    scores = np.column_stack(columns)
    return (scores - scores.mean(0)) / scores.std(0)


def persona_matrix() -> np.ndarray:
    """Return the taste weights of each persona: (number of personas, number of tastes)."""
    return np.array([[weights.get(taste, 0.0) for taste in TASTES] for weights in PERSONAS.values()])


def effect_matrix(attribute: Attribute) -> np.ndarray:
    """Return what each value of an attribute adds to each taste: (number of values, number of tastes)."""
    effects = [attribute.effects.get(value, {}) for value in attribute.values]
    return np.array([[effect.get(taste, 0.0) for taste in TASTES] for effect in effects])
