import numpy as np

from rec_core.probes.users import cluster_labels, sums_by_cluster


def test_unknown_users_are_each_their_own():
    assert cluster_labels([3, None, 3, None, 0]).tolist() == [3, -2, 3, -4, 0]


def test_sums_by_cluster():
    values = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    assert sums_by_cluster(values, np.array([7, 2, 7])).tolist() == [[3.0, 4.0], [6.0, 8.0]]
    assert sums_by_cluster(values[:, 0], np.array([7, 2, 7])).tolist() == [3.0, 6.0]
