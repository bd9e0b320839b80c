"""Sparse matrices: ratings and parts from `.npz` files, and wrong files that stay harmless."""

import io

import numpy as np
import pytest
import scipy.sparse as sp

from rec_core.data.sources import sparse_matrices


def test_ratings_and_parts(fixtures, rows_of, ten):
    dataset = sparse_matrices.load(fixtures / "matrices", "mine")
    assert [row[:3] for row in rows_of(dataset)] == [
        (str(u), str(i), r)
        for rows in (ten[:6], ten[6:8], ten[8:])
        for u, i, r in sorted(rows, key=lambda row: row[:2])
    ]
    assert dataset.parts.tolist() == [0] * 6 + [1] * 2 + [2] * 2
    assert (dataset.has_time, dataset.name, dataset.max_rating) == (False, "mine", 5.0)


@pytest.mark.parametrize("make", [sp.csr_matrix, sp.csc_matrix, sp.coo_array])
def test_one_matrix_of_any_layout_is_not_cut_and_ones_are_no_ratings(tmp_path, make):
    dense = np.zeros((6, 7))
    dense[:5, :2] = 1
    sp.save_npz(tmp_path / "all.npz", make(dense))
    dataset = sparse_matrices.load(tmp_path / "all.npz")
    made = dataset.interactions
    assert dataset.parts is None and np.isnan(made.ratings).all()
    assert (made.n_users, made.n_items, len(made)) == (6, 7, 10), "empty rows and columns keep their numbers"
    assert sorted(zip(made.user_nums, made.item_nums, strict=True)) == [
        (u, i) for u in range(5) for i in (0, 1)
    ]


def write(folder, name, cells, shape, **more):
    users, items = zip(*cells, strict=True)
    np.savez(folder / name, user=np.array(users), item=np.array(items), shape=np.array(shape), **more)


@pytest.mark.parametrize(
    ("cells", "shape", "part"),
    [([(0, 9)] * 10, (3, 4), "outside its shape"), ([(-1, 0)] * 10, (3, 4), "outside its shape"),
     ([(0, 0)] * 10, (3, 4, 5), "is no sparse matrix"), ([(0, 0)] * 9, (3, 4), "has 9 rows")],
)  # fmt: skip
def test_cells_that_do_not_fit_are_refused(tmp_path, complaint, cells, shape, part):
    write(tmp_path, "m.npz", cells, shape)
    assert part in complaint(sparse_matrices.load, tmp_path / "m.npz")


def test_no_object_is_ever_unpickled(tmp_path, complaint):
    class Trap:
        def __reduce__(self):
            return (exec, ("raise SystemExit('unpickled')",))

    trap = np.empty(10, dtype=object)
    trap[:] = [Trap()] * 10
    np.savez(tmp_path / "m.npz", user=trap, item=np.zeros(10), shape=np.array([3, 4]))
    assert "is no sparse matrix" in complaint(sparse_matrices.load, tmp_path / "m.npz")
    buffer = io.BytesIO()
    np.savez(
        buffer, format=np.array("csr"), data=trap, indices=np.zeros(10), indptr=trap, shape=np.array([3, 4])
    )
    (tmp_path / "m.npz").write_bytes(buffer.getvalue())
    assert "is no sparse matrix" in complaint(sparse_matrices.load, tmp_path / "m.npz")
    (tmp_path / "m.npz").write_bytes(b"nothing")
    assert "is no sparse matrix" in complaint(sparse_matrices.load, tmp_path / "m.npz")


def test_parts_that_do_not_fit_together_are_refused(copied, complaint, tmp_path):
    folder = copied("matrices")
    write(folder, "test.npz", [(0, 0)], (3, 5))
    assert "have different shapes" in complaint(sparse_matrices.load, folder)
    (folder / "test.npz").rename(folder / "else.npz")
    assert "not one matrix per part" in complaint(sparse_matrices.load, folder)
    (tmp_path / "empty").mkdir()
    assert "holds no .npz file" in complaint(sparse_matrices.load, tmp_path / "empty")


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        (b'"iid": 2', b'"iid": 1', "mapper_item.json, row 3"),
        (b'"iid": 2', b'"iid": 9', "does not give each of the 4 items an id"),
        (b'"amazon-b"', b'"amazon-c"', "does not give each of the 4 items an id"),
        (b'"amazon-b"', b"7", "mapper_item.json, row 3"),
    ],
)
def test_a_wrong_mapper_is_refused(copied, complaint, old, new, part):
    folder = copied("rlmrec", "amazon/mapper_item.json", old, new)
    assert part in complaint(sparse_matrices.load, folder / "amazon")
