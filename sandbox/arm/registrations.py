"""Resource providers of a subscription: what each offers, and whether it is registered.

Here everything is registered until it is unregistered; in a new subscription of Azure hardly anything is.
What is not registered takes no new resources.
https://learn.microsoft.com/azure/azure-resource-manager/management/resource-providers-and-types
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sandbox.arm.catalogue import Catalogue, TypeInfo
from sandbox.arm.database import Database
from sandbox.arm.errors import ArmError, conflict
from sandbox.arm.ids import parse_id
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.preconditions import missing
from sandbox.arm.regions import display_name
from sandbox.arm.resource import Body
from sandbox.arm.store import SqliteStore
from sandbox.services import Rbac

#: What every subscription may use without registering it.
_FREE = frozenset({"microsoft.authorization", "microsoft.consumption", "microsoft.resources"})
#: Providers of which nothing is stored, and what they can be asked: AKS uses them in the subscription's name.
_BEHIND: Mapping[str, Mapping[str, str]] = {
    "Microsoft.Compute": {"locations/usages": "2024-07-01", "skus": "2021-07-01"},
    "Microsoft.PolicyInsights": {},
    "Microsoft.Security": {},
}


class Registrations:
    def __init__(self, database: Database, catalogue: Catalogue, store: SqliteStore, rbac: Rbac) -> None:
        self._database = database
        self._catalogue = catalogue
        self._store = store
        self._rbac = rbac

    def operations(self) -> Sequence[Operation]:
        # An empty action: which providers there are is no secret; registering has an action for each.
        below = "/subscriptions/{subscription}/providers"
        return (
            Operation("GET", "/providers", "", self._list),
            Operation("GET", below, "", self._list),
            Operation("GET", f"{below}/{{namespace}}", "", self._get),
            Operation("POST", f"{below}/{{namespace}}/register", "", self._register),
            Operation("POST", f"{below}/{{namespace}}/unregister", "", self._unregister),
        )

    def require(self, namespace: str) -> None:
        """Raises ARM's 409 for a provider that is not registered."""
        if self._registered(namespace):
            return
        message = (
            f"The subscription is not registered to use namespace '{namespace}'. See "
            "https://aka.ms/rps-not-found for how to register subscriptions."
        )
        code = "MissingSubscriptionRegistration"
        raise ArmError(409, code, message, details=[ArmError(409, code, message, namespace)])

    async def _list(self, call: OperationCall) -> Answer:
        return Answer(body={"value": [self._wire(call, *item) for item in self._all()]})

    async def _get(self, call: OperationCall) -> Answer:
        return Answer(body=self._found(call))

    async def _register(self, call: OperationCall) -> Answer:
        self._allowed(call, "register")
        self._database.execute("DELETE FROM unregistered WHERE namespace = ?", (_key(call),))
        return Answer(body=self._found(call))

    async def _unregister(self, call: OperationCall) -> Answer:
        namespace = self._allowed(call, "unregister")
        if _key(call) in _FREE:
            raise conflict("Conflict", f"The namespace '{namespace}' needs no registration.")
        if any(found.id.type.lower().startswith(f"{_key(call)}/") for found in self._store.list()):
            raise conflict("Conflict", f"The subscription has resources of the namespace '{namespace}'.")
        self._database.execute("INSERT OR IGNORE INTO unregistered VALUES (?)", (_key(call),))
        return Answer(body=self._found(call))

    def _allowed(self, call: OperationCall, verb: str) -> str:
        """The namespace in its own spelling, if the caller may do that to it."""
        namespace = str(self._found(call)["namespace"])
        scope = f"/subscriptions/{call.parameters['subscription']}"
        self._rbac.require(call.principal, f"{namespace}/{verb}/action", scope)
        return namespace

    def _all(self) -> Iterator[tuple[str, list[TypeInfo]]]:
        yield from self._catalogue.namespaces.items()
        for namespace, types in _BEHIND.items():
            if namespace not in self._catalogue.namespaces:
                asked = (TypeInfo(f"{namespace}/{name}", (version,)) for name, version in types.items())
                yield namespace, list(asked)

    def _found(self, call: OperationCall) -> Body:
        subscription = parse_id(f"/subscriptions/{call.parameters['subscription']}")
        if self._store.get(subscription) is None:
            raise missing(subscription)
        for namespace, types in self._all():
            if namespace.lower() == _key(call):
                return self._wire(call, namespace, types)
        return self._wire(call, *self._catalogue.namespace(call.parameters["namespace"]))

    def _registered(self, namespace: str) -> bool:
        rows = self._database.query("SELECT 1 FROM unregistered WHERE namespace = ?", (namespace.lower(),))
        return not rows

    def _wire(self, call: OperationCall, namespace: str, types: Sequence[TypeInfo]) -> Body:
        subscription = call.parameters.get("subscription")
        body: Body = {
            "id": f"{f'/subscriptions/{subscription}' if subscription else ''}/providers/{namespace}",
            "namespace": namespace,
            "resourceTypes": [_type(info) for info in types],
        }
        if subscription:
            free = namespace.lower() in _FREE
            body["registrationState"] = "Registered" if self._registered(namespace) else "Unregistered"
            body["registrationPolicy"] = "RegistrationFree" if free else "RegistrationRequired"
        return body


def _type(info: TypeInfo) -> Body:
    return {
        "resourceType": info.path,
        "locations": [display_name(location) for location in info.locations],
        "apiVersions": sorted(info.api_versions, reverse=True),
        "defaultApiVersion": info.api_versions[-1],
        "capabilities": "SupportsTags, SupportsLocation" if info.locations else "None",
    }


def _key(call: OperationCall) -> str:
    return call.parameters["namespace"].lower()
