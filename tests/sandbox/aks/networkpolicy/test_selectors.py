"""Label selectors, requirement by requirement."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.aks.networkpolicy import selectors


def expression(operator: str, *values: str, key: str = "app") -> dict[str, Any]:
    return {
        "matchExpressions": [{"key": key, "operator": operator, **({"values": [*values]} if values else {})}]
    }


@pytest.mark.parametrize(
    ("selector", "fitting", "others"),
    [
        ({}, [{}, {"app": "a"}], []),
        ({"matchLabels": {"app": "a"}}, [{"app": "a", "x": "y"}], [{}, {"app": "b"}]),
        (expression("In", "a", "b"), [{"app": "a"}, {"app": "b"}], [{}, {"app": "c"}]),
        (expression("NotIn", "a", "b"), [{}, {"app": "c"}], [{"app": "a"}, {"app": "b"}]),
        (expression("Exists"), [{"app": ""}, {"app": "a"}], [{}, {"other": "a"}]),
        (expression("DoesNotExist"), [{}, {"other": "a"}], [{"app": ""}]),
        (
            {"matchLabels": {"tier": "web"}, **expression("NotIn", "a")},
            [{"tier": "web"}, {"tier": "web", "app": "b"}],
            [{"tier": "web", "app": "a"}, {"app": "b"}],
        ),
    ],
)
def test_all_requirements_must_hold(
    selector: dict[str, Any], fitting: list[dict[str, str]], others: list[dict[str, str]]
) -> None:
    read = selectors.read(selector)
    assert all(read.fits(labels) for labels in fitting)
    assert not any(read.fits(labels) for labels in others)
