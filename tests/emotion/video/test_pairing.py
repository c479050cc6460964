import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from emotion.video.pairing import cheapest_pairs

IMPOSSIBLE = 1e9


def everything(costs: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    return np.ones(costs.shape, dtype=bool)


def by_scipy(
    costs: npt.NDArray[np.float64], possible: npt.NDArray[np.bool_]
) -> list[tuple[int, int]]:
    pairs = zip(*linear_sum_assignment(np.where(possible, costs, IMPOSSIBLE)), strict=True)
    return [(int(row), int(column)) for row, column in pairs if possible[row, column]]


def test_pairs_cost_least_together_not_each_alone() -> None:
    costs = np.array([[1.0, 2.0], [1.5, 9.0]])
    assert cheapest_pairs(costs, everything(costs)) == [(0, 1), (1, 0)]


@pytest.mark.parametrize("turned", [False, True])
def test_of_many_rows_or_columns_the_cheapest_are_taken(*, turned: bool) -> None:
    costs = np.array([[5.0, 1.0, 9.0], [9.0, 2.0, 3.0]])
    if turned:
        costs = costs.T
    expected = [(0, 1), (1, 2)]
    pairs = cheapest_pairs(costs, everything(costs))
    assert pairs == ([(1, 0), (2, 1)] if turned else expected)


def test_what_is_impossible_is_never_paired_however_little_it_costs() -> None:
    costs = np.array([[-5.0, 3.0], [-5.0, -5.0]])
    possible = np.array([[False, True], [False, False]])
    assert cheapest_pairs(costs, possible) == [(0, 1)]


def test_two_dear_pairs_are_better_than_one_cheap_one() -> None:
    costs = np.array([[0.0, 30.0], [30.0, 0.0]])
    possible = np.array([[True, True], [True, False]])
    assert cheapest_pairs(costs, possible) == [(0, 1), (1, 0)]


def test_where_nothing_is_possible_there_are_no_pairs() -> None:
    costs = np.zeros((3, 2))
    assert cheapest_pairs(costs, ~everything(costs)) == []


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40), st.floats(0.0, 1.0))
def test_they_are_those_that_scipy_finds(seed: int, rows: int, columns: int, share: float) -> None:
    random = np.random.default_rng(seed)
    costs = random.normal(10.0, 8.0, (rows, columns))
    possible = random.random((rows, columns)) < share
    assert cheapest_pairs(costs, possible) == by_scipy(costs, possible)
