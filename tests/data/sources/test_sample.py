"""The embedded catalogue, and the planted truth against what the simulated ratings show."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import f_oneway, spearmanr

from rec_core.data.sources.sample.load import load, read_films
from rec_core.data.sources.sample.simulate import DAYS, SHARPNESS, START, simulate
from rec_core.data.sources.sample.tastes import (
    ATTRIBUTES,
    PERSONAS,
    TASTES,
    effect_matrix,
    feature_scores,
    persona_matrix,
)
from rec_core.data.storage import load_saved, save_dataset

GENRES = set(
    "Action Adventure Animation Comedy Crime Documentary Drama Family Fantasy History Horror Music Mystery "
    "Romance Thriller War Western".split()
) | {"Science Fiction"}


@pytest.fixture(scope="module")
def sample():
    return load()


@pytest.fixture(scope="module")
def rows(sample):
    log = sample.interactions
    columns = {"user": log.user_nums, "item": log.item_nums, "rating": log.ratings, "time": log.timestamps}
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def simulation():
    return simulate(read_films(), 1500, 7)


def test_films():
    films = read_films()
    assert films.columns.tolist() == "item_id title year genres director country description".split()
    assert films["item_id"].tolist() == [f"f{n + 1:03d}" for n in range(len(films))]
    assert films[["year", "title"]].apply(tuple, axis=1).is_monotonic_increasing
    assert not films.duplicated(["title", "year"]).any()
    assert films["year"].between(1900, 2025).all()
    assert (films != "").all(axis=None) and not films.isna().any(axis=None)
    assert films["description"].str.split().str.len().between(30, 50).all()
    assert not films["description"].duplicated().any()
    genres = films["genres"].str.split("|")
    assert {genre for each in genres for genre in each} == GENRES
    assert genres.map(lambda each: 1 <= len(each) == len(set(each)) <= 4).all()
    assert not films.apply(lambda column: column.astype(str).str.contains(r"^\s|\s$|\n|<|http")).any(
        axis=None
    )


def test_sizes_and_shares(sample, rows):
    per_viewer = rows.groupby("user").size()
    assert len(per_viewer) == 1500 and per_viewer.between(20, 120).all()
    assert 35 <= per_viewer.median() <= 50 and per_viewer.quantile(0.99) > 90
    assert 60_000 <= len(rows) <= 75_000
    assert 0.50 <= (rows["rating"] > sample.like_threshold).mean() <= 0.60
    assert set(rows["rating"].unique()) == {1.0, 2.0, 3.0, 4.0, 5.0}
    assert not rows.duplicated(["user", "item"]).any()
    assert sample.simulated and "simulated" in sample.notes[0] and sample.item_noun == "movie"


def test_time_lies_within_two_years_and_test_viewers_have_a_past(rows):
    assert rows["time"].is_monotonic_increasing
    assert rows["time"].between(START, START + DAYS * 86_400).all()
    late = rows.iloc[int(0.9 * len(rows)) :]
    early = rows.iloc[: int(0.8 * len(rows))].groupby("user").size()
    assert (late["user"].map(early).fillna(0) >= 5).mean() > 0.95
    assert late["user"].nunique() > 500
    gaps = rows.sort_values(["user", "time"]).groupby("user")["time"].diff()
    assert (gaps < 240).mean() > 0.6 and (gaps > 86_400).mean() > 0.1  # sittings, days apart


def test_the_seed_decides_everything(sample):
    again, other = load(), load(seed=8)
    assert again.content_hash == sample.content_hash != other.content_hash
    assert again.truth == sample.truth
    assert np.array_equal(again.interactions.ratings, sample.interactions.ratings)
    assert again.users.equals(sample.users)


def test_truth_is_plain_json_and_survives_saving(sample, tmp_path):
    assert json.loads(json.dumps(sample.truth, allow_nan=False)) == sample.truth
    save_dataset(sample, tmp_path / "sample")
    assert load_saved(tmp_path / "sample").truth == sample.truth


def test_oracle_auc_is_the_share_of_pairs_in_order(sample, simulation):
    labels, scores = simulation.ratings > 3, simulation.expected
    rng = np.random.default_rng(0)
    liked, other = rng.choice(scores[labels], 400_000), rng.choice(scores[~labels], 400_000)
    in_order = (liked > other).mean()  # standard error 0.0006
    assert sample.truth["oracle_auc"] == pytest.approx(in_order, abs=0.003)
    assert 0.80 < sample.truth["oracle_auc"] < 0.92


def test_personas_and_their_weights(sample):
    viewers = sample.truth["viewers"]
    for personas, first, last in zip(
        viewers["personas"], viewers["weights_first_day"], viewers["weights_last_day"], strict=True
    ):
        assert len(personas) == len(set(personas)) == len(first) == len(last)
        assert 2 <= len(personas) <= 4 and set(personas) <= set(PERSONAS)
        assert sum(first) == pytest.approx(1, abs=1e-3) and sum(last) == pytest.approx(1, abs=1e-3)
    ends = zip(viewers["weights_first_day"], viewers["weights_last_day"], strict=True)
    drift = [max(abs(np.subtract(first, last))) for first, last in ends]
    assert np.median(drift) > 0.1
    assert set(np.unique([len(p) for p in viewers["personas"]])) == {2, 3, 4}


def test_one_persona_that_likes_a_film_is_enough(sample, rows):
    """Ratings follow the soft maximum of the personas, and better than their weighted mean."""
    viewers, liking = sample.truth["viewers"], _liking(sample)
    rated = rows.groupby("user").head(20)
    soft, mean = np.empty(len(rated)), np.empty(len(rated))
    for n, (user, item, time) in enumerate(zip(rated["user"], rated["item"], rated["time"], strict=True)):
        elapsed = (time - START) / (DAYS * 86_400)
        first, last = (np.array(viewers[f"weights_{day}_day"][user]) for day in ("first", "last"))
        weight = (1 - elapsed) * first + elapsed * last
        persona = np.array([liking[list(PERSONAS).index(name)][item] for name in viewers["personas"][user]])
        soft[n], mean[n] = np.log(weight @ np.exp(SHARPNESS * persona)) / SHARPNESS, weight @ persona
    by_soft, by_mean = (spearmanr(x, rated["rating"]).statistic for x in (soft, mean))
    assert by_soft > 0.4 and by_soft > by_mean


def _liking(sample):
    """Return how much each persona likes each film, standardised over films: (personas, I)."""
    liking = persona_matrix() @ np.array(sample.truth["items"]["appeal"]).T
    return (liking - liking.mean(1, keepdims=True)) / liking.std(1, keepdims=True)


def _taste_of_viewers(sample, rows):
    """Return each viewer's mean appeal of films seen, and how ratings go with appeal: each (U, tastes)."""
    appeal = np.array(sample.truth["items"]["appeal"])[rows["item"]]
    count = rows.groupby("user").size().to_numpy()[:, None]
    user = rows["user"].to_numpy()

    def mean(values):
        return np.stack([np.bincount(user, column) for column in values.T], axis=1) / count

    seen = mean(appeal)
    rating = rows["rating"].to_numpy()[:, None]
    centred = rating - mean(rating)[user]
    return seen, mean(appeal * centred)


def test_drift_shows_in_what_is_watched(sample, rows):
    """The taste of persona p is watched more where its weight is larger, by its weight at that time."""
    viewers = sample.truth["viewers"]
    liking = _liking(sample)
    half = START + DAYS * 43_200
    change, shift = [], []
    for user, seen in rows.groupby("user"):
        early, late = seen["item"][seen["time"] < half], seen["item"][seen["time"] >= half]
        if min(len(early), len(late)) < 15:
            continue
        for place, persona in enumerate(viewers["personas"][user]):
            row = liking[list(PERSONAS).index(persona)]
            shift.append(row[late].mean() - row[early].mean())
            change.append(
                viewers["weights_last_day"][user][place] - viewers["weights_first_day"][user][place]
            )
    assert len(change) > 500
    assert spearmanr(change, shift).statistic > 0.1  # standard error 0.025 without drift


@pytest.mark.parametrize("name", list(ATTRIBUTES))
def test_attributes_show_in_taste_only_where_planted(sample, rows, name):
    """One-way analysis of variance of viewer tastes over the attribute's values."""
    seen, slope = _taste_of_viewers(sample, rows)
    groups = sample.users[name].to_numpy()
    effects = effect_matrix(ATTRIBUTES[name])
    pvalues = np.array(
        [
            [
                f_oneway(*(measure[groups == value, t] for value in ATTRIBUTES[name].values)).pvalue
                for t in range(len(TASTES))
            ]
            for measure in (seen, slope)
        ]
    )
    if name in sample.truth["attributes"]["no_influence"]:
        assert not effects.any()
        assert pvalues.min() > 0.01 / pvalues.size  # Bonferroni: nothing to be found
        mean_rating = rows.groupby("user")["rating"].mean().to_numpy()
        assert f_oneway(*(mean_rating[groups == v] for v in ATTRIBUTES[name].values)).pvalue > 0.01
    else:
        touched = np.abs(effects).max(0) >= 0.4
        assert touched.any() and (pvalues[:, touched] < 1e-4).all()


def test_half_of_the_attributes_influence_taste(sample):
    attributes = sample.truth["attributes"]
    assert attributes["influence"] == ["age_group", "occupation", "household"]
    assert attributes["no_influence"] == ["gender", "region", "handedness"]
    assert {"gender", "age_group", "occupation"} < set(sample.users.columns)
    codes = sample.users[list(ATTRIBUTES)].apply(lambda column: pd.factorize(column)[0])
    assert np.abs(codes.corr().to_numpy() - np.eye(len(ATTRIBUTES))).max() < 0.1  # drawn independently


def test_older_viewers_see_older_films(sample, rows):
    years = sample.catalogue.table["year"].to_numpy(float)[rows["item"]]
    by_age = pd.Series(years).groupby(sample.users["age_group"].to_numpy()[rows["user"]]).mean()
    assert by_age.sort_index().is_monotonic_decreasing
    assert by_age["18-24"] - by_age["65 and over"] > 10


def test_popularity_is_planted_and_skewed(sample, rows):
    counts = np.bincount(rows["item"], minlength=len(sample.catalogue))
    planted = np.array(sample.truth["items"]["popularity"])
    assert planted.sum() == pytest.approx(1) and counts.min() > 0
    assert spearmanr(planted, counts).statistic > 0.8
    top = np.sort(counts)[::-1]
    assert 0.40 < top[: len(top) // 5].sum() / counts.sum() < 0.70
    assert abs(spearmanr(planted, sample.truth["items"]["quality"]).statistic) < 0.5


def test_quality_and_leniency_show_in_ratings(sample, rows):
    truth = sample.truth
    assert spearmanr(truth["items"]["quality"], rows.groupby("item")["rating"].mean()).statistic > 0.3
    assert spearmanr(truth["viewers"]["leniency"], rows.groupby("user")["rating"].mean()).statistic > 0.4


def test_behaviour_predicts_better_than_popularity(rows):
    """Co-watching (cosine of liked columns) finds held-out likes better than liked counts do."""
    n_train = int(0.9 * len(rows))
    train, test = rows.iloc[:n_train], rows.iloc[n_train:]
    seen = np.zeros((rows["user"].max() + 1, rows["item"].max() + 1), np.float32)
    seen[train["user"], train["item"]] = 1
    liked = np.zeros_like(seen)
    liked[train["user"], train["item"]] = train["rating"] > 3
    unit = liked / np.maximum(np.linalg.norm(liked, axis=0), 1e-9)
    wanted = test[test["rating"] > 3]

    def recall(scores):
        scores = np.where(seen > 0, -np.inf, scores)
        rank = (scores[wanted["user"]] > scores[wanted["user"], wanted["item"]][:, None]).sum(1)
        return (rank < 20).mean()

    popularity = recall(np.broadcast_to(liked.sum(0), liked.shape))
    assert recall(liked @ (unit.T @ unit)) > 1.15 * popularity
    shuffled = liked[np.random.default_rng(0).permutation(len(liked))]
    assert recall(shuffled @ (unit.T @ unit)) < popularity * 1.05


def test_feature_scores_by_hand():
    films = pd.DataFrame(
        {
            "title": ["A", "B", "C"],
            "year": [1950, 1990, 2010],
            "genres": ["Western", "Horror|Mystery", "Documentary"],
            "country": ["United States", "Japan", "France"],
            "description": ["A silent frontier of a studio.", "Dread, and a ghost.", "Interviews."],
        }
    )
    raw = {
        "golden age": [0.3 + 2 * 0.4 + 2.0, 0, 0],  # at most two words count
        "uncanny": [0, (1.2 + 0.6) / np.sqrt(2) + 2 * 0.4, 0],
        "quiet drama": [0, 0.8, 0.8],
    }
    with np.errstate(invalid="ignore"):  # three films leave some tastes without variation
        scores = feature_scores(films)
    for taste, column in raw.items():
        column = np.array(column)
        expected = (column - column.mean()) / column.std()
        assert scores[:, list(TASTES).index(taste)] == pytest.approx(expected)


def test_every_taste_has_films_and_every_persona_its_own_films():
    films = read_films()
    scores = feature_scores(films)
    assert scores.mean(0) == pytest.approx(0, abs=1e-9) and scores.std(0) == pytest.approx(1)
    assert {genre for taste in TASTES.values() for genre in taste.genres} <= GENRES
    assert {taste for weights in PERSONAS.values() for taste in weights} == set(TASTES)
    between = np.corrcoef(persona_matrix() @ scores.T)
    assert (between - np.eye(len(PERSONAS))).max() < 0.85
