"""Restores: what the environment's data must be as of (docs/adr/0012-restores-are-settings.md)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from infra.settings.sections import Section
from infra.settings.types import EnvironmentName, Moment

Service = Literal["sql", "cosmos"]
SERVICES: tuple[Service, ...] = ("sql", "cosmos")


class Restore(Section):
    """The data of `services` as of a moment, beside what there was; UTC, to the second.

    `of` is whose history is looked into: an earlier restore, by its `as_of`, or (None) the original. With
    `stamp` it is the data that this stack of role `recovery` has for itself, once its phase is `returned`:
    SQL whole, as nobody writes it any more. Agents
    use the last restore of a service that is `adopted`. `paired` gives it its second copy, which Azure does
    only once it is there. One that is no longer `kept` is deleted when it leaves the settings; any other
    stays in Azure, whatever becomes of its settings.
    """

    as_of: Moment
    services: Annotated[tuple[Service, ...], Field(min_length=1)] = SERVICES
    of: Moment | None = None
    stamp: EnvironmentName | None = None
    adopted: bool = True
    paired: bool = False
    kept: bool = True

    @property
    def made_of(self) -> str:
        """Whose history, in words that stay the same whatever else becomes of the entry."""
        if self.stamp is not None:
            return f"what {self.stamp} has"
        return "the original" if self.of is None else f"the copy as of {written(self.of)}"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.adopted and not self.kept:
            raise ValueError(
                f"the restore as of {written(self.as_of)} is adopted and not kept: agents would lose what "
                "they use. Set adopted to false first"
            )
        if self.of is not None and self.stamp is not None:
            raise ValueError(
                f"the restore as of {written(self.as_of)} is of {written(self.of)} and of {self.stamp}; it "
                "can be of one of them. Remove the other"
            )
        return self


def written(moment: datetime) -> str:
    """As settings have it: `2026-11-28T09:59:30Z`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def check(restores: Sequence[Restore]) -> None:
    """Raises ValueError for two that would be one, and for a source that is not there."""
    before: dict[Service, list[datetime]] = {service: [] for service in SERVICES}
    for restore in restores:
        for service in restore.services:
            if restore.as_of in before[service]:
                raise ValueError(
                    f"two restores of {service} are as of {written(restore.as_of)}; one is enough"
                )
            if restore.of is not None and restore.of not in before[service]:
                known = ", ".join(map(written, before[service])) or "none"
                raise ValueError(
                    f"the restore of {service} as of {written(restore.as_of)} is of "
                    f"{written(restore.of)}, and no earlier restore of {service} is as of then; there is "
                    f"{known}. Leave `of` out for the original"
                )
            before[service].append(restore.as_of)


def of_service(restores: Sequence[Restore], service: Service) -> list[Restore]:
    return [restore for restore in restores if service in restore.services]


def last_adopted(restores: Sequence[Restore], service: Service) -> Restore | None:
    """The restore that agents use; None for the original."""
    adopted = [one for one in of_service(restores, service) if one.adopted]
    return adopted[-1] if adopted else None
