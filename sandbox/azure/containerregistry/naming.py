"""Names of registries: the ARM type, the login server, and what is taken.

A registry's name is part of a host name, so it is unique in the whole cloud, without regard to case.
Source: https://learn.microsoft.com/azure/container-registry/container-registry-get-started-azure-cli
"""

from __future__ import annotations

import re

from sandbox.arm.resource import ResourceId
from sandbox.azure.dataplane import find
from sandbox.names import Names
from sandbox.services import Store

TYPE = "Microsoft.ContainerRegistry/registries"
_NAME = re.compile(r"[A-Za-z0-9]{5,50}")


def login_server(names: Names, name: str) -> str:
    """Host name of a registry's data plane."""
    return f"{name.lower()}.{names.service('azurecr')}"


def invalid(name: str) -> str | None:
    """What Azure says about a name that breaks its rules; None for a good one."""
    if _NAME.fullmatch(name):
        return None
    return (
        f"The specified resource name '{name}' is invalid: resource names may contain alpha numeric "
        "characters only and must be between 5 and 50 characters."
    )


def taken(store: Store, name: str, by: ResourceId | None = None) -> bool:
    """Whether another registry than `by` has the name."""
    other = find(store, TYPE, name)
    return other is not None and other.id != by
