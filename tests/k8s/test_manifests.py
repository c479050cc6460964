from typing import Any

import pytest

from k8s.checks.manifests import selects
from k8s.checks.resources import amount

LABELS = {"app": "rapt", "component": "front"}


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        ("250m", 0.25),
        ("2", 2.0),
        (2, 2.0),
        ("1.5Gi", 1.5 * 2**30),
        ("1G", 1e9),
        ("1e9", 1e9),
        ("2E", 2e18),
    ],
)
def test_a_quantity_is_read(quantity: str | int, expected: float) -> None:
    assert amount(quantity) == expected


@pytest.mark.parametrize("quantity", ["much", "2GB", "1e3m", ""])
def test_what_is_no_quantity_is_refused(quantity: str) -> None:
    with pytest.raises(ValueError, match=f"'{quantity}' is no quantity"):
        amount(quantity)


@pytest.mark.parametrize(
    ("expression", "is_met"),
    [
        ({"key": "component", "operator": "In", "values": ["front", "worker"]}, True),
        ({"key": "component", "operator": "In", "values": ["worker"]}, False),
        ({"key": "component", "operator": "NotIn", "values": ["worker"]}, True),
        ({"key": "zone", "operator": "NotIn", "values": ["a"]}, True),
        ({"key": "component", "operator": "Exists"}, True),
        ({"key": "zone", "operator": "Exists"}, False),
        ({"key": "zone", "operator": "DoesNotExist"}, True),
    ],
)
def test_an_expression_is_met_as_kubernetes_says(expression: dict[str, Any], is_met: bool) -> None:  # noqa: FBT001  # a parameter
    selector = {"matchLabels": {"app": "rapt"}, "matchExpressions": [expression]}
    assert selects(selector, LABELS) is is_met


def test_labels_and_expressions_have_to_be_met_together() -> None:
    expression = {"key": "component", "operator": "Exists"}
    assert not selects({"matchLabels": {"app": "other"}, "matchExpressions": [expression]}, LABELS)


def test_an_empty_selector_selects_all() -> None:
    assert selects({}, LABELS)
