"""Which rows share a beginning: against every choice of branches, tried one by one."""

import itertools
import random

import pytest

from rec_core.llm.prefix_groups import PrefixGroup, SharingCost, prefix_groups


def common(rows) -> int:
    return next(
        (at for at, tokens in enumerate(zip(*rows, strict=False)) if len(set(tokens)) > 1),
        min(map(len, rows)),
    )


def branches(rows) -> list[tuple[int, int, int]]:
    """Every run of sorted rows to which no neighbour can be added without a shorter common beginning."""
    found = []
    for start, stop in itertools.combinations(range(len(rows) + 1), 2):
        depth = common(rows[start:stop])
        wider = [rows[start - 1 : stop]] * (start > 0) + [rows[start : stop + 1]] * (stop < len(rows))
        if stop - start > 1 and all(common(more) < depth for more in wider):
            found.append((start, stop, min(depth, min(map(len, rows[start:stop])) - 1)))
    return found


def best(rows, cost: SharingCost) -> float:
    """The most that branches which share no row can save."""
    every = branches(rows)
    return max(
        sum(
            cost.saved(stop - start, prefix, sum(len(row) - prefix for row in rows[start:stop]))
            for start, stop, prefix in chosen
        )
        for n in range(len(rows) // 2 + 1)
        for chosen in itertools.combinations(every, n)
        if all(one[1] <= other[0] or other[1] <= one[0] for one, other in itertools.combinations(chosen, 2))
    )


def test_no_other_choice_of_branches_saves_more():
    rng = random.Random(0)
    for _ in range(200):
        rows = sorted({tuple(rng.choices((1, 2), k=rng.randint(1, 7))) for _ in range(rng.randint(0, 7))})
        cost = SharingCost(rng.choice([0.0, 0.4, 1.0]), rng.choice([0.0, 0.2]), rng.choice([0.0, 0.1]))
        groups = prefix_groups(rows, cost)
        saved = sum(
            cost.saved(len(group.numbers), group.prefix, group.tokens_read(rows) - group.prefix)
            for group in groups
            if group.prefix
        )
        assert saved == pytest.approx(best(rows, cost) if rows else 0)
        assert sorted(i for group in groups for i in group.numbers) == list(range(len(rows)))
        for group in groups:
            assert len({rows[i][: group.prefix] for i in group.numbers}) <= 1
            assert all(len(rows[i]) > group.prefix for i in group.numbers)


def test_a_user_s_prompts_are_cut_where_that_saves_most_by_hand():
    rows = [(1, 2, 3, 4, 5, 10), (1, 2, 3, 4, 5, 11), (1, 7, 7, 7, 7, 7), (1, 8, 8, 8, 8, 8), (9, 9)]
    # sharing five tokens between two rows saves 5, sharing one between four saves 3
    assert prefix_groups(rows, SharingCost(0, 0, 0)) == [PrefixGroup((0, 1), 5), PrefixGroup((2, 3, 4), 0)]
    # a pass of 1.5 tokens, two of them: 5 - 3 = 2 against 3 - 3 = 0
    assert prefix_groups(rows, SharingCost(1.5, 0, 0))[0] == PrefixGroup((0, 1), 5)
    # of 2.5: 5 - 5 is nothing saved
    assert prefix_groups(rows, SharingCost(2.5, 0, 0)) == [PrefixGroup((0, 1, 2, 3, 4), 0)]
    # 0.5 for a copied token: 5 - 0.5 * 2 * 5 is nothing saved, and 3 - 0.5 * 4 * 1 = 1 is left
    assert prefix_groups(rows, SharingCost(0, 0.5, 0)) == [PrefixGroup((0, 1, 2, 3), 1), PrefixGroup((4,), 0)]
    # 0.15 for a token behind: 5 - 0.15 * 2 = 4.7 against 3 - 0.15 * 20 = 0
    assert prefix_groups(rows, SharingCost(0, 0, 0.15))[0] == PrefixGroup((0, 1), 5)
    # of 3: 5 - 3 * 2 and 3 - 3 * 20 are nothing saved
    assert prefix_groups(rows, SharingCost(0, 0, 3)) == [PrefixGroup((0, 1, 2, 3, 4), 0)]


def test_a_row_that_is_another_s_beginning_keeps_its_last_token():
    rows = [(1, 2, 3), (1, 2, 3, 4)]
    assert prefix_groups(rows, SharingCost(0, 0, 0)) == [PrefixGroup((0, 1), 2), PrefixGroup((), 0)]
    assert prefix_groups([(1,), (1, 2)], SharingCost(0, 0, 0)) == [PrefixGroup((0, 1), 0)]


def test_without_a_cost_rule_nothing_is_shared():
    assert prefix_groups([(1, 2, 3), (1, 2, 4)], None) == [PrefixGroup((0, 1), 0)]
    assert prefix_groups([], None) == prefix_groups([], SharingCost(0, 0, 0)) == [PrefixGroup((), 0)]


def test_tokens_read_count_the_shared_ones_once():
    rows = [(1, 2, 3, 4), (1, 2, 3, 5, 6)]
    assert PrefixGroup((0, 1), 3).tokens_read(rows) == 3 + 1 + 2
    assert PrefixGroup((0, 1), 0).tokens_read(rows) == 9


def test_rows_as_deep_as_can_be_are_walked_without_recursion():
    rows = [(1,) * n for n in range(1, 2_000)]  # each the beginning of the next
    groups = prefix_groups(rows, SharingCost(40, 0.1, 0.1))
    assert sum(len(group.numbers) for group in groups) == len(rows)
