"""The cut that a source comes with: published matrices and sequences name their own parts."""

from __future__ import annotations

import numpy as np

from rec_core.types import Dataset, InputError, Split


def given_parts(dataset: Dataset) -> Split:
    """Return the source's own cut, so that results can stand beside those published on it.

    Whether the cut leaks is the source's affair: `leak_checks` tells, and the dataset's notes say what is
    known. A part the source does not have is empty.

    Returns:
        Rows of the interactions; every row is in exactly one part.

    Raises:
        InputError: the source does not come cut.
    """
    if dataset.parts is None:
        raise InputError(
            f"The dataset {dataset.name!r} does not come cut into parts; choose another split, such "
            "as leave_one_out."
        )
    train, valid, test = (np.flatnonzero(dataset.parts == part) for part in range(3))
    return Split("given", train, valid, test)
