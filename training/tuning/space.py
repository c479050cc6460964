"""What a study searches: ranges of keys of the recipe, checked before any trial starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import ValidationError

from training.errors import RecipeError
from training.experiment import Range
from training.recipe import Recipe

Values = Mapping[str, float]


class Suggester(Protocol):
    """Who draws a value from a range: an Optuna trial."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool) -> float:
        """Draw a number between two others, both included."""
        ...

    def suggest_int(self, name: str, low: int, high: int, *, log: bool) -> int:
        """Draw an integer between two others, both included."""
        ...


@dataclass(frozen=True, slots=True)
class Dimension:
    """One key and its range.

    Attributes:
        key: of the recipe, dotted: ``augmentation.scale``.
        low: least value.
        high: greatest value, included.
        log: whether it is drawn evenly over the logarithm.
        own: the recipe's own value, where the study begins; an int where the key is an integer.
    """

    key: str
    low: float
    high: float
    log: bool
    own: float

    def draw(self, trial: Suggester) -> float:
        """Return a trial's value: an int where the key is an integer."""
        if isinstance(self.own, int):
            return trial.suggest_int(self.key, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(self.key, self.low, self.high, log=self.log)


def space_of(recipe: Recipe, search: Mapping[str, Range]) -> tuple[Dimension, ...]:
    """Return what to search, in the order of the experiment file.

    Raises:
        RecipeError: a key is unknown or no number, a range is empty or leaves what the recipe
            allows, or the recipe's own value lies outside of it.
    """
    if not search:
        raise RecipeError("tune.search: give at least one key of train and its range")
    return tuple(_dimension(recipe, key, wanted) for key, wanted in search.items())


def recipe_with(recipe: Recipe, values: Values) -> Recipe:
    """Return a recipe in which dotted keys have other values.

    Raises:
        RecipeError: the recipe doesn't allow a value.
    """
    content: dict[str, Any] = recipe.model_dump()
    for key, value in values.items():
        *parents, last = key.split(".")
        place = content
        for parent in parents:
            place = place[parent]
        place[last] = value
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        problem = error.errors()[0]
        if not problem["loc"]:  # of several keys together
            raise RecipeError(f"{', '.join(values)}: {problem['msg']}") from error
        key = ".".join(map(str, problem["loc"]))
        raise RecipeError(f"{key}: {problem['msg']}, not {problem['input']}") from error


def _dimension(recipe: Recipe, key: str, wanted: Range) -> Dimension:
    place = f"tune.search.{key}"
    own = _own_value(recipe, key)
    low, high = wanted.low, wanted.high
    if not low < high:
        raise RecipeError(f"{place}: low must be less than high, not {low:g} and {high:g}")
    if wanted.log and low <= 0:
        raise RecipeError(f"{place}: low must be above 0 with log, not {low:g}")
    if isinstance(own, int):
        if not (low.is_integer() and high.is_integer()):
            raise RecipeError(f"{place}: give integers, not {low:g} and {high:g}")
        low, high = int(low), int(high)
    try:
        for end in (low, high):
            recipe_with(recipe, {key: end})
    except RecipeError as error:
        raise RecipeError(f"tune.search.{error}") from error
    if not low <= own <= high:
        raise RecipeError(
            f"{place}: the recipe's own value {own:g} must lie between {low:g} and {high:g}: the "
            f"study begins there. Widen the range, or set train.{key}"
        )
    return Dimension(key, low, high, wanted.log, own)


def _own_value(recipe: Recipe, key: str) -> float:
    value: Any = recipe.model_dump()
    for part in key.split("."):
        if not isinstance(value, dict) or part not in value:
            raise RecipeError(f"tune.search.{key}: no such key of train")
        value = value[part]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RecipeError(f"tune.search.{key}: only numbers can be searched, and it is {value!r}")
    return value
