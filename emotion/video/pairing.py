"""Pairs rows with columns so that the pairs cost least together: the linear assignment problem."""

from typing import Any

import lap
import numpy as np
import numpy.typing as npt

# More than all possible pairs together may cost, and little enough for float64 to tell costs apart.
_IMPOSSIBLE = 1e9


def cheapest_pairs(
    costs: npt.NDArray[np.float64], possible: npt.NDArray[np.bool_]
) -> list[tuple[int, int]]:
    """Pair rows with columns, each with one at most.

    By the algorithm of Jonker and Volgenant (1987), exactly: as many possible pairs as there can
    be, and of those the cheapest.

    Args:
        costs: [rows, columns]; what each pair costs, small against a thousand million.
        possible: [rows, columns]; which pairs there may be.

    Returns:
        Row and column of each pair, by row.
    """
    chosen: npt.NDArray[Any]
    chosen, _ = lap.lapjv(
        np.where(possible, costs, _IMPOSSIBLE), extend_cost=True, return_cost=False
    )
    pairs = enumerate(chosen.tolist())
    return [(row, column) for row, column in pairs if column >= 0 and possible[row, column]]
