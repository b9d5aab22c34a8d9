"""What a single setting may look like, and why: Azure's rules for names, ranges and sizes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

# Azure OpenAI's global-standard deployments and zone-redundant AKS are available in all of these.
Region = Literal["westeurope", "northeurope", "swedencentral", "germanywestcentral", "eastus2", "centralus"]

# `kv-agents-E-SUFFIX` and `stagentsE` must stay within 24 characters. A stack that belongs to an environment
# adds what it is for: `prod-dr`, `prod-backup`.
EnvironmentName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{1,7}(-[a-z0-9]{2,6})?$")]
Role = Literal["environment", "backup", "recovery"]
NameSuffix = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{0,5}$")]
AgentName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{2,30}$")]
Version = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?$")]
KubernetesVersion = Annotated[str, StringConstraints(pattern=r"^1\.\d{2}(\.\d+)?$")]
Domain = Annotated[str, StringConstraints(pattern=r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$")]
ObjectId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
HttpsUrl = Annotated[str, StringConstraints(pattern=r"^https://[^\s/]+\S*$")]
MachineSize = Annotated[str, StringConstraints(pattern=r"^Standard_[A-Za-z]+\d+[A-Za-z0-9_-]*$")]
Cpu = Annotated[str, StringConstraints(pattern=r"^(\d+m|\d+(\.\d{1,3})?)$")]
Memory = Annotated[str, StringConstraints(pattern=r"^\d+(Mi|Gi)$")]
Iso8601Weeks = Annotated[str, StringConstraints(pattern=r"^P\d+[WMY]$")]


def _network(text: str) -> str:
    """An IPv4 range in private address space, written as its first address."""
    found = IPv4Network(text)
    if not found.is_private:
        raise ValueError(f"{text} is not a private range; use one inside 10.0.0.0/8 or 172.16.0.0/12")
    return str(found)


def _first_of_month(day: date) -> date:
    """Azure takes only the first of a month as a budget's start, and never lets it change."""
    if day.day != 1:
        raise ValueError(f"a budget starts on the first of a month, for example {day.replace(day=1)}")
    return day


def _second(moment: datetime) -> datetime:
    """Restores are to the second, and a person who compares times needs one time zone."""
    if moment.microsecond or moment.utcoffset():
        raise ValueError("name a second in UTC, for example 2026-11-28T09:59:30Z")
    return moment.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_second)]
PrivateRange = Annotated[str, AfterValidator(_network)]
PublicRange = Annotated[str, AfterValidator(lambda text: str(IPv4Network(text)))]
BudgetStart = Annotated[date, AfterValidator(_first_of_month)]
PromptName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
PromptVersion = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]
Rate = Annotated[str, StringConstraints(pattern=r"^[1-9]\d*/(second|minute|hour)$")]
# An application's id or one of its identifier URIs: what a token is made out to.
Audience = Annotated[str, StringConstraints(pattern=r"^(api://\S+|https://\S+|[0-9a-f-]{36})$")]
Count = Annotated[int, Field(ge=1, le=100)]
Days = Annotated[int, Field(ge=1, le=3650)]
