"""k-core: the fixed point, found by a naive loop too."""

import pytest

from rec_core.data.filters import k_core
from rec_core.data.interactions import make_interactions
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
