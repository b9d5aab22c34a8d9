"""The models an account can deploy: names, versions and limits as Azure's model catalogue lists them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Model:
    """`versions[0]` is the default. `context` and `output` are tokens; `dimensions` is an embedding's "
    "length."""

    name: str
    versions: tuple[str, ...]
    kind: Literal["chat", "embeddings"] = "chat"
    context: int = 128_000
    output: int = 16_384
    #: Reasoning models take max_completion_tokens alone and no sampling parameters.
    reasoning: bool = False
    dimensions: int = 0
    #: Whether a shorter embedding can be asked for.
    resizable: bool = False


MODELS: tuple[Model, ...] = (
    Model("gpt-4o", ("2024-11-20", "2024-08-06", "2024-05-13")),
    Model("gpt-4o-mini", ("2024-07-18",)),
    Model("gpt-4.1", ("2025-04-14",), context=1_047_576, output=32_768),
    Model("gpt-4.1-mini", ("2025-04-14",), context=1_047_576, output=32_768),
    Model("gpt-4.1-nano", ("2025-04-14",), context=1_047_576, output=32_768),
    Model("gpt-5", ("2025-08-07",), context=400_000, output=128_000, reasoning=True),
    Model("gpt-5-mini", ("2025-08-07",), context=400_000, output=128_000, reasoning=True),
    Model("gpt-5-nano", ("2025-08-07",), context=400_000, output=128_000, reasoning=True),
    Model("gpt-35-turbo", ("0125", "1106", "0613"), context=16_385, output=4_096),
    Model("o3-mini", ("2025-01-31",), context=200_000, output=100_000, reasoning=True),
    Model("o4-mini", ("2025-04-16",), context=200_000, output=100_000, reasoning=True),
    Model("text-embedding-3-small", ("1",), "embeddings", 8_191, dimensions=1_536, resizable=True),
    Model("text-embedding-3-large", ("1",), "embeddings", 8_191, dimensions=3_072, resizable=True),
    Model("text-embedding-ada-002", ("2",), "embeddings", 8_191, dimensions=1_536),
)

#: Deployment types; the provisioned ones have reserved capacity and no per-minute limits.
METERED_SKUS = frozenset({"Standard", "GlobalStandard", "DataZoneStandard"})
PROVISIONED_SKUS = frozenset({"ProvisionedManaged", "GlobalProvisionedManaged", "DataZoneProvisionedManaged"})


def find(name: str) -> Model | None:
    return next((model for model in MODELS if model.name == name), None)
