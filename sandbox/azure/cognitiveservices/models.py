"""The models an account can deploy: names, versions and limits as Azure's model catalogue lists them.

Sizes and efforts: https://learn.microsoft.com/azure/foundry/openai/how-to/reasoning
Requests for each thousand tokens: https://learn.microsoft.com/azure/foundry/openai/quotas-limits
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sandbox.azure.cognitiveservices.lifecycle import Version, version
from sandbox.azure.cognitiveservices.rates import Limits


@dataclass(frozen=True)
class Reasoning:
    """How long a model may be told to think, from the least, and how long it does untold."""

    efforts: Sequence[str]
    default: str


_O_SERIES = Reasoning(("low", "medium", "high"), "medium")
_GPT_5 = Reasoning(("minimal", "low", "medium", "high"), "medium")
# Microsoft's page does not say what these do untold; OpenAI's does: they do not think.
_GPT_5_4 = Reasoning(("none", "low", "medium", "high", "xhigh"), "none")


@dataclass(frozen=True)
class Model:
    """`versions[0]` is the default. `context` is tokens of prompt and answer, `output` the answer's most.

    `dimensions` is an embedding's length.
    """

    name: str
    versions: tuple[Version, ...]
    kind: Literal["chat", "embeddings"] = "chat"
    context: int = 128_000
    output: int = 16_384
    #: The prompt's most; without, it is bounded by the context alone.
    prompt: int | None = None
    #: Such models take max_completion_tokens alone, and no sampling parameters while they think.
    reasoning: Reasoning | None = None
    #: Requests a minute that come with a thousand tokens a minute, and the window in which they are counted.
    requests: int = 6
    window: int = 10
    dimensions: int = 0
    #: Whether a shorter embedding can be asked for.
    resizable: bool = False

    def version(self, name: str) -> Version | None:
        return next((one for one in self.versions if one.name == name), None)

    def limits(self, capacity: int) -> Limits:
        """Of a deployment of so many thousand tokens a minute."""
        return Limits.of_capacity(capacity, self.requests, self.window)

    @property
    def most_prompt(self) -> int:
        return self.prompt or self.context


def _gpt_4_1(name: str) -> Model:
    return Model(
        name, (version("2025-04-14", ends="2027-04-14", legacy=True),), context=1_047_576, output=32_768
    )


def _gpt_5(name: str) -> Model:
    # Policy closes a model after a year; Microsoft's table had not said so of these in September.
    known = version("2025-08-07", closed="2026-08-07", ends="2027-02-09")
    return Model(name, (known,), "chat", 400_000, 128_000, 272_000, _GPT_5, 1, 60)


def _gpt_5_4(name: str, known: Version, *, large: bool = False) -> Model:
    context, prompt = (1_050_000, 922_000) if large else (400_000, 272_000)
    return Model(name, (known,), "chat", context, 128_000, prompt, _GPT_5_4, 10 if large else 1, 60)


def _o_series(name: str, known: Version) -> Model:
    return Model(name, (known,), "chat", 300_000, 100_000, 200_000, _O_SERIES, 1, 60)


MODELS: tuple[Model, ...] = (
    _gpt_5_4("gpt-5.4", version("2026-03-05", ends="2027-09-02"), large=True),
    _gpt_5_4("gpt-5.4-mini", version("2026-03-17", ends="2027-09-21")),
    _gpt_5_4("gpt-5.4-nano", version("2026-03-17", ends="2027-09-21")),
    Model(
        "gpt-4o",
        (
            version("2024-11-20", ends="2027-04-14", legacy=True),
            version("2024-08-06", closed="2026-03-31", ends="2027-04-14"),
            version("2024-05-13", closed="2026-03-31", ends="2026-12-09"),
        ),
    ),
    Model("gpt-4o-mini", (version("2024-07-18", closed="2026-03-31", ends="2027-04-14"),)),
    _gpt_4_1("gpt-4.1"),
    _gpt_4_1("gpt-4.1-mini"),
    _gpt_4_1("gpt-4.1-nano"),
    _gpt_5("gpt-5"),
    _gpt_5("gpt-5-mini"),
    _gpt_5("gpt-5-nano"),
    Model("gpt-35-turbo", (version("0613", ends="2025-02-13"),), context=16_385, output=4_096),
    _o_series("o3-mini", version("2025-01-31", ends="2026-10-01")),
    _o_series("o4-mini", version("2025-04-16", ends="2026-10-16")),
    *(
        Model(name, (version(one, ends="2028-02-09"),), "embeddings", 8_191, dimensions=length, resizable=new)
        for name, one, length, new in (
            ("text-embedding-3-small", "1", 1_536, True),
            ("text-embedding-3-large", "1", 3_072, True),
            ("text-embedding-ada-002", "2", 1_536, False),
        )
    ),
)

#: Deployment types; the provisioned ones have reserved capacity and no per-minute limits.
METERED_SKUS = frozenset({"Standard", "GlobalStandard", "DataZoneStandard"})
PROVISIONED_SKUS = frozenset({"ProvisionedManaged", "GlobalProvisionedManaged", "DataZoneProvisionedManaged"})


def find(name: str) -> Model | None:
    return next((model for model in MODELS if model.name == name), None)
