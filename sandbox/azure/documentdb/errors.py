"""Refusals of the data plane, in Cosmos DB's shape."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class CosmosError(Exception):
    """`{"code", "message"}` with a status; `substatus` goes into its own header."""

    status: int
    code: str
    message: str
    substatus: int | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


def bad_request(message: str, substatus: int | None = None) -> CosmosError:
    return CosmosError(400, "BadRequest", message, substatus)


def not_found(substatus: int | None = None) -> CosmosError:
    message = (
        "Entity with the specified id does not exist in the system. More info: "
        "https://aka.ms/cosmosdb-tsg-not-found"
    )
    return CosmosError(404, "NotFound", message, substatus)


def conflict() -> CosmosError:
    return CosmosError(409, "Conflict", "Entity with the specified id already exists in the system.")


def unique_conflict() -> CosmosError:
    return CosmosError(409, "Conflict", "Unique index constraint violation.", substatus=1005)


def precondition_failed(substatus: int | None = None) -> CosmosError:
    return CosmosError(
        412,
        "PreconditionFailed",
        "Operation cannot be performed because one of the specified precondition is not met.",
        substatus,
    )
