"""Filters by row counts: the fixed point found by a naive loop, and what a part keeps of its whole."""

from dataclasses import replace

import numpy as np
import pytest

from rec_core.data.filters import RECIPES, FilterConfig, core_of, filtered, kept_rows
from rec_core.data.interactions import make_interactions, reordered
from rec_core.data.last_of_user import last_of_user
from rec_core.data.sources.table import load_table
from rec_core.types import InputError


def cores(user_core, item_core, **more):
    return FilterConfig(user_core=user_core, item_core=item_core, **more)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("bounds", [(0, 0), (2, 3), (5, 4), (3, 8), (50, 50)])
def test_a_core_equals_dropping_one_row_holder_at_a_time(seed, bounds, random_interactions):
    made = random_interactions(seed, n_rows=60)
    kept = set(range(len(made)))
    changed = True
    while changed:
        changed = False
        for nums, core in ((made.user_nums, bounds[0]), (made.item_nums, bounds[1])):
            for num in set(nums.tolist()):
                own = {row for row in kept if nums[row] == num}
                if 0 < len(own) < core:
                    kept -= own
                    changed = True
    assert kept_rows(made, cores(*bounds)).tolist() == sorted(kept)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("bounds", [(3, 12, 3, 9), (0, 8, 0, 0), (0, 0, 0, 6), (4, 12, 2, 0), (5, 4, 0, 0)])
@pytest.mark.parametrize("top", [0, 3])
def test_ranges_and_the_top_items_equal_the_published_loop(seed, bounds, top, random_interactions):
    made = random_interactions(seed, n_rows=90, n_users=12, n_items=14)
    rows = list(zip(made.user_nums.tolist(), made.item_nums.tolist(), strict=True))
    kept = list(range(len(rows)))
    while True:
        before = list(kept)
        for side, low, high in ((0, *bounds[:2]), (1, *bounds[2:])):
            counts = {}
            for row in kept:
                counts[rows[row][side]] = counts.get(rows[row][side], 0) + 1
            kept = [row for row in kept if low <= counts[rows[row][side]] <= (high or 10**9)]
        if kept == before:
            break
    if top:
        items = [rows[row][1] for row in kept]
        best = sorted(set(items), key=lambda item: (-items.count(item), item))[:top]
        kept = [row for row in kept if rows[row][1] in best]
    user_core, user_limit, item_core, item_limit = bounds
    config = cores(user_core, item_core, user_limit=user_limit, item_limit=item_limit, top_items=top)
    assert kept_rows(made, config).tolist() == kept


def test_one_drop_pulls_the_next():
    # c has one row; without it y has one; without y b has one: only a's two rows with x are left
    made = make_interactions(list("aabbc"), list("xxxyy"), None, range(5))
    assert kept_rows(made, cores(2, 2)).tolist() == [0, 1]


def test_the_published_recipe_is_as_its_notebook_has_it():
    """More than 10 and at most 200 rows per user, 10 to 200 per item, then the 5,000 most frequent."""
    users = np.concatenate([np.full(n, user) for user, n in enumerate((10, 11, 200, 201))])
    made = make_interactions(users, np.arange(len(users)), None, np.arange(len(users)))
    config = RECIPES["rallrec-amazon"]
    assert (config.genre_depth, config.item_core, config.item_limit, config.top_items) == (3, 10, 200, 5000)
    alone = FilterConfig(user_core=config.user_core, user_limit=config.user_limit)
    assert set(users[kept_rows(made, alone)]) == {1, 2}


@pytest.fixture
def whole(tmp_path):
    log, items = tmp_path / "films.csv", tmp_path / "film-items.csv"
    rows = [f"u{u},i{i},{1 + (u + i) % 5},{100 * u + i}" for u in range(6) for i in range(5)]
    log.write_text("user_id,item_id,rating,timestamp\n" + "\n".join(rows))
    genres = ["A|B|C", "A|B", "", "A|B|D", "A|B|C|D"]
    titles = "\n".join(f"i{n},Film {n},{genre}" for n, genre in enumerate(genres))
    items.write_text("item_id,title,genres\n" + titles)
    return load_table(log, items=items, name="whole")


def test_items_of_one_depth_stay_with_their_last_genre(whole):
    part = filtered(whole, FilterConfig(genre_depth=3), "deep")
    assert part.catalogue.table[["item_id", "genres"]].values.tolist() == [["i0", "C"], ["i3", "D"]]
    assert len(part.interactions) == 12
    assert "exactly 3 genres" in part.notes[-1] and part.notes[-1].endswith("12 of 30 rows.")
    with pytest.raises(InputError, match="exactly 1 genres"):
        filtered(whole, FilterConfig(genre_depth=1), "flat")


def test_where_the_last_row_is_asked_about_the_last_kept_row_is(random_interactions, whole):
    order = last_of_user(whole.interactions)
    asked = replace(
        whole,
        interactions=reordered(whole.interactions, order),
        has_time=False,
        questions="last_of_user",
        parts=(order % 3).astype(np.int8),
    )
    part = filtered(asked, FilterConfig(genre_depth=3), "part")
    kept = part.interactions
    targets = {pair[:2] for pair in _rows(asked.interactions)[-6:]}
    assert targets - {pair[:2] for pair in _rows(kept)}, "somebody's target is left out"
    assert kept.timestamps.tolist() == list(range(12)) and part.questions == "last_of_user"
    assert last_of_user(kept).tolist() == list(range(12)), "histories first, then one row of everybody"
    assert sorted(kept.user_nums[-6:].tolist()) == list(range(6))
    whole_of = {pair[:2]: part for pair, part in zip(_rows(asked.interactions), asked.parts, strict=True)}
    assert [whole_of[pair[:2]] for pair in _rows(kept)] == part.parts.tolist(), "each row stays in its part"


def test_a_negative_core_is_refused(whole):
    with pytest.raises(InputError, match="user_core"):
        core_of(whole, -1, 2, "part")


def test_the_core_as_a_dataset_keeps_ids_titles_and_attributes(tmp_path):
    log, items = tmp_path / "log.csv", tmp_path / "items.csv"
    rows = [f"u{u},i{i},{1 + (u + i) % 5},{100 * u + i}" for u in range(6) for i in range(5)]
    rows += ["lonely,i0,5,9", "u0,rare,4,8"]
    log.write_text("user_id,item_id,rating,timestamp\n" + "\n".join(rows))
    titles = "\n".join(f"{i},Film {i}" for i in ["rare", *[f"i{n}" for n in range(5)]])
    items.write_text("item_id,title\n" + titles)
    whole = load_table(log, items=items, name="whole")
    part = core_of(whole, 2, 2, "part")
    kept = part.interactions
    assert (kept.n_users, kept.n_items, len(kept)) == (6, 5, 30)
    assert "lonely" not in kept.user_ids and "rare" not in kept.item_ids
    assert part.users["user_id"].tolist() == kept.user_ids.tolist()
    assert part.catalogue.table["item_id"].tolist() == kept.item_ids.tolist()
    assert part.catalogue.titles == [f"Film {i}" for i in kept.item_ids]
    assert _triples(kept) == {t for t in _triples(whole.interactions) if t[0] != "lonely" and t[1] != "rare"}
    assert part.content_hash != whole.content_hash
    with pytest.raises(InputError, match="lower the cores"):
        core_of(whole, 99, 2, "none")


def _rows(made):
    rows = zip(made.user_nums, made.item_nums, made.ratings, strict=True)
    return [(made.user_ids[user], made.item_ids[item], float(rating)) for user, item, rating in rows]


def _triples(made):
    return set(_rows(made))
