"""What the sandbox knows about one ARM type beyond its body: identity, path, names, and how it changes.

Owns the `ArmType` row and the arithmetic on its path template. Rows live in `sandbox.types.rows`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from sandbox.types import sdk
from sandbox.types.shapes import Shape

#: How a PUT or DELETE that is not done at once lets the client follow it: a URL in the header
#: Azure-AsyncOperation, a URL in Location, or only the resource's own provisioningState.
LongRunning = Literal["azure-async-operation", "location", "provisioning-state"]

#: How a missing name is made up: eight random hex digits after the logical name, a copy of the logical
#: name (children), or a UUID.
AutoName = Literal["random", "copy", "uuid"]

_PARAMETER = re.compile(r"\{(\w+)\}")
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-[a-z]+(\.\d+)?)?")


@dataclass(frozen=True)
class NameRule:
    """Which names Azure takes: a pattern and its wording. Source: Azure's "Naming rules and restrictions"."""

    pattern: str
    wording: str

    def allows(self, name: str) -> bool:
        return re.fullmatch(self.pattern, name) is not None


@dataclass(frozen=True, eq=False)
class ArmType:
    """One row of the table.

    `path` is the template of the resource's id, its parameters named as the Pulumi SDK names them. Property
    paths (`replace_on`, `keep_unset`, `renames`) are the SDK's names joined by dots; arrays add no step.
    """

    #: `Microsoft.KeyVault/vaults`; a parameter stands for every member of `record_types`.
    type: str
    path: str
    #: `azure-native:keyvault:Vault`; None for what only ARM clients create.
    pulumi: str | None = None
    #: `package:Class` of the body a PUT takes, and of the body a GET answers where that is another class.
    model: str | None = None
    view: str | None = None
    #: Needed only where there is no token; the SDK's documentation says it otherwise.
    version: str | None = None
    name: NameRule | None = None
    autoname: AutoName | None = None
    long_running: LongRunning | None = None
    #: A change of these makes a new resource (besides path parameters and create-only properties).
    replace_on: tuple[str, ...] = ()
    #: Arrays of sub-resources: an update that does not mention them keeps what is there.
    keep_unset: tuple[str, ...] = ()
    #: Arrays to which other resources add elements of their own (beside `keep_unset`): those are no drift.
    shared: tuple[str, ...] = ()
    #: `SdkType.property` -> wire name, where it cannot be derived from the models.
    renames: Mapping[str, str] = field(default_factory=dict)
    #: Wire paths that Azure requires though no model says so (the SDK always sets them).
    required: tuple[str, ...] = ()
    #: Wire paths that are read-only at the SDK's version, though a newer model lets them be set.
    read_only: tuple[str, ...] = ()
    #: Wire paths of strings for which the SDK names only some values: Azure takes others too.
    open: tuple[str, ...] = ()
    #: Wire paths of numbers that Azure also takes spelt as strings.
    numeric_strings: tuple[str, ...] = ()
    #: Top-level properties that only preview versions of the type have, where clients (az) speak those.
    preview: Mapping[str, Shape] = field(default_factory=dict)
    #: What a path parameter in `type` may be.
    record_types: tuple[str, ...] = ()
    #: A singleton that exists with its parent: DELETE sets it back to this body. `singleton` is its name.
    default_body: Mapping[str, object] | None = None
    singleton: str = "default"
    #: Deleted in the data plane of its vault, in this collection there; ARM cannot.
    vault_collection: str | None = None
    #: The location a resource without one gets, where that is not the resource group's.
    location: str | None = None
    #: Whether the SDK's provider gives a resource a location at all where the program names none.
    auto_location: bool = True

    @property
    def namespace(self) -> str:
        return self.type.split("/", 1)[0]

    @property
    def module(self) -> str:
        """The SDK's module of the type, e.g. `keyvault`."""
        return self.pulumi.split(":")[1] if self.pulumi else ""

    @property
    def sdk_class(self) -> str | None:
        return self.pulumi.split(":")[2] if self.pulumi else None

    @cached_property
    def types(self) -> tuple[str, ...]:
        """Every ARM type the row speaks for."""
        if not self.record_types:
            return (self.type,)
        return tuple(_PARAMETER.sub(record, self.type) for record in self.record_types)

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """Path parameters in order, `subscriptionId` included."""
        return tuple(_PARAMETER.findall(self.path))

    @property
    def name_parameter(self) -> str | None:
        """The parameter that names the resource; None for a singleton."""
        return self.parameters[-1] if self.path.endswith("}") else None

    @property
    def extension(self) -> bool:
        """Whether the path starts with the id of another resource, of any type."""
        return self.path.startswith(("/{scope}/", "/{resourceUri}/"))

    @property
    def child(self) -> bool:
        return self.type.count("/") > 1

    @cached_property
    def api_version(self) -> str:
        """The version the SDK uses by default."""
        version = self.version or (sdk.api_versions(self.pulumi)[0] if self.pulumi else None)
        if version is None:
            raise LookupError(f"no API version is known for {self.type}")
        return version

    @cached_property
    def versions(self) -> tuple[str, ...]:
        """Versions the SDK documents, the default one first."""
        documented = sdk.api_versions(self.pulumi) if self.pulumi else []
        return tuple(dict.fromkeys([self.api_version, *documented]))

    def accepts(self, version: str) -> bool:
        """Whether ARM would take the version: a date since 2014, stable or preview.

        Clients speak versions that neither the SDK nor the models on this machine list (az has its own), so
        any date is taken that such a provider could have published.
        """
        return _VERSION.fullmatch(version) is not None and "2014-01-01" <= version[:10] < "2100"

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        parts = []
        for number, part in enumerate(_PARAMETER.split(self.path)):
            if number % 2 == 0:
                parts.append(re.escape(part))
            elif part in {"scope", "resourceUri"}:
                parts.append(f"(?P<{part}>.*?)")
            elif part == "recordType":
                parts.append(f"(?P<{part}>{'|'.join(self.record_types)})")
            else:
                parts.append(f"(?P<{part}>[^/]+)")
        text = "".join(parts)
        if self.extension:
            text = text.replace("/(?P", "/?(?P", 1)
        return re.compile(text + "/?", re.IGNORECASE)

    def parse(self, resource_id: str) -> dict[str, str] | None:
        """Parameter values of an id of this type (case-insensitive), or None for another type's id."""
        match = self._pattern.fullmatch(resource_id)
        return match.groupdict() if match else None

    def format(self, values: Mapping[str, str]) -> str:
        """The id that the values make. Raises KeyError with the name of a missing parameter."""
        filled = {
            key: value.strip("/") if key in {"scope", "resourceUri"} else value
            for key, value in values.items()
        }
        return _PARAMETER.sub(lambda match: filled[match[1]], self.path).replace("//", "/")
