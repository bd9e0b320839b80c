"""k-core: the fixed point, found by a naive loop too."""

import pytest

from rec_core.data.filters import core_of, k_core
from rec_core.data.interactions import make_interactions
from rec_core.data.sources.table import load_table
from rec_core.types import InputError


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("cores", [(0, 0), (2, 3), (5, 4), (3, 8), (50, 50)])
def test_equals_dropping_one_row_holder_at_a_time(seed, cores, random_interactions):
    made = random_interactions(seed, n_rows=60)
    kept = set(range(len(made)))
    changed = True
    while changed:
        changed = False
        for nums, core in ((made.user_nums, cores[0]), (made.item_nums, cores[1])):
            for num in set(nums.tolist()):
                own = {row for row in kept if nums[row] == num}
                if 0 < len(own) < core:
                    kept -= own
                    changed = True
    assert k_core(made, *cores).tolist() == sorted(kept)


def test_one_drop_pulls_the_next():
    # c has one row; without it y has one; without y b has one: only a's two rows with x are left
    made = make_interactions(list("aabbc"), list("xxxyy"), None, range(5))
    assert k_core(made, 2, 2).tolist() == [0, 1]


def test_negative_core_is_refused(random_interactions):
    with pytest.raises(InputError, match="cores"):
        k_core(random_interactions(0), -1, 2)


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


def _triples(made):
    rows = zip(made.user_nums, made.item_nums, made.ratings, strict=True)
    return {(made.user_ids[user], made.item_ids[item], float(rating)) for user, item, rating in rows}
