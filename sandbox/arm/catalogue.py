"""Which resource types there are, and what the core needs to know of each: spelling, versions, regions.

The knowledge of bodies is `sandbox.types`'; this is the core's view of it, so that tests can bring their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.resource import Body

STATE = "properties.provisioningState"

#: (body, api version, the stored body of an existing resource): raises ArmError that says what is wrong.
Validate = Callable[[Body, str, Body | None], None]
#: Raises ArmError when the last segment breaks the type's name rules.
CheckName = Callable[[str], None]


def _anything(_body: Body, _version: str, _previous: Body | None) -> None:
    """Types whose bodies their handler checks."""


def _as_sent(body: Body) -> Body:
    """Types that take a number only where a number is sent."""
    return body


def _any_name(_name: str) -> None:
    """Types whose names their handler checks."""


def _has_state(path: str) -> bool:
    """The usual wire form: a state, and nothing else that ARM fills."""
    return path == STATE


@dataclass(frozen=True)
class TypeInfo:
    """One resource type. `name` is spelt as Azure spells it; versions are ascending."""

    name: str
    api_versions: tuple[str, ...]
    #: Where it can be placed; empty when the type has no location.
    locations: tuple[str, ...] = ()
    #: Whether a dotted path (`etag`, `properties.provisioningState`) is part of the wire form.
    shows: Callable[[str], bool] = _has_state
    #: Accepts versions beyond the listed ones.
    accepts: Callable[[str], bool] = lambda _version: False
    #: The body of a child named `singleton` that exists with its parent and cannot be deleted.
    default_body: Body | None = None
    singleton: str = "default"
    #: The body with what the type takes in another spelling put into its own.
    converted: Callable[[Body], Body] = _as_sent
    validate: Validate = _anything
    check_name: CheckName = _any_name

    @property
    def namespace(self) -> str:
        return self.name.partition("/")[0]

    @property
    def path(self) -> str:
        """The type below its namespace, e.g. `servers/databases`."""
        return self.name.partition("/")[2]


class Catalogue:
    def __init__(self, types: Iterable[TypeInfo]) -> None:
        self._types: Mapping[str, TypeInfo] = {info.name.lower(): info for info in types}
        self._singletons = [info for info in self._types.values() if info.default_body is not None]
        namespaces: dict[str, list[TypeInfo]] = {}
        for info in sorted(self._types.values(), key=lambda info: info.name.lower()):
            namespaces.setdefault(info.namespace, []).append(info)
        self.namespaces: Mapping[str, list[TypeInfo]] = namespaces

    def singletons(self, parent: str) -> list[TypeInfo]:
        """Types whose only resource exists with each resource of type `parent`."""
        wanted = parent.lower()
        return [info for info in self._singletons if info.name.lower().rpartition("/")[0] == wanted]

    def find(self, name: str) -> TypeInfo | None:
        return self._types.get(name.lower())

    def namespace(self, name: str) -> tuple[str, list[TypeInfo]]:
        """A namespace in its own spelling, with its types. Raises ARM's InvalidResourceNamespace."""
        for namespace, types in self.namespaces.items():
            if namespace.lower() == name.lower():
                return namespace, types
        raise ArmError(404, "InvalidResourceNamespace", f"The resource namespace '{name}' is invalid.")

    def require(self, type_name: str, api_version: str) -> TypeInfo:
        """The type, if it exists in that API version. Raises as ARM does, naming the versions there are."""
        info = self.find(type_name)
        if info is None:
            namespace, _, rest = type_name.partition("/")
            self.namespace(namespace)
            raise ArmError(
                404,
                "InvalidResourceType",
                f"The resource type '{rest}' could not be found in the namespace '{namespace}' "
                f"for api version '{api_version}'. The supported api-versions are "
                f"'{self._versions(namespace)}'.",
            )
        if api_version not in info.api_versions and not info.accepts(api_version):
            located = f" The supported locations are '{', '.join(info.locations)}'." if info.locations else ""
            raise bad_request(
                "NoRegisteredProviderFound",
                f"No registered resource provider found for location '{', '.join(info.locations[:1])}' and "
                "API "
                f"version '{api_version}' for type '{info.path}'. The supported api-versions are "
                f"'{', '.join(info.api_versions)}'.{located}",
            )
        return info

    def _versions(self, namespace: str) -> str:
        _, types = self.namespace(namespace)
        return ", ".join(sorted({version for info in types for version in info.api_versions}))
