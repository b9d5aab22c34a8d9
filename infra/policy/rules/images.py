"""Which images run."""

import re
from collections.abc import Iterator

from infra.policy.model import UNKNOWN, Resource, Stack
from infra.policy.rule import Faults, StackFaults, resource_rule, stack_rule
from infra.policy.rules.podspec import WORKLOADS, containers

_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_REGISTRY = re.compile(r"/Microsoft\.ContainerRegistry/registries/([A-Za-z0-9]+)$", re.IGNORECASE)
# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/containers#acrpull
_ACR_PULL = "/7f951dda-4ed3-4680-a7ca-43fe172d538d"
#: A full version, as nobody pushes twice: `1.4.2`, `v1.4.2-rc.1`.
_VERSION = re.compile(r":v?\d+\.\d+\.\d+([-+][0-9A-Za-z.-]+)?$")


@resource_rule(
    *WORKLOADS,
    remedy="Name the image by digest, or by a full version",
    source="https://learn.microsoft.com/azure/container-registry/container-registry-image-tag-version",
)
def images_are_pinned(workload: Resource) -> Faults:
    """What runs tomorrow is what runs today: images are named by digest or by a full version."""
    for name, container in containers(workload):
        image = container.get("image")
        if image is not UNKNOWN and not (_DIGEST.search(str(image)) or _VERSION.search(str(image))):
            yield f"container {name} runs {image}"


@stack_rule(
    remedy="Build it there, or bring it in with `az acr import`",
    source="https://learn.microsoft.com/azure/container-registry/container-registry-import-images",
)
def images_come_from_our_registry(stack: Stack) -> StackFaults:
    """Pods pull from the stack's own registry, or from one that it was let pull from, only."""
    names = {registry.azure_name() for registry in stack.of("azure-native:containerregistry:Registry")}
    names |= set(_lent(stack))
    if UNKNOWN in names:
        return
    for workload in stack.of(*WORKLOADS):
        for name, container in containers(workload):
            image = container.get("image")
            host = image.partition("/")[0].partition(".")[0] if isinstance(image, str) else UNKNOWN
            if host is not UNKNOWN and host not in names:
                yield workload, f"container {name} runs {image}"


def _lent(stack: Stack) -> Iterator[str]:
    """Registries of other stacks: a stamp in the paired region pulls what its environment built."""
    for assignment in stack.of("azure-native:authorization:RoleAssignment"):
        definition, scope = assignment.get("roleDefinitionId"), assignment.get("scope")
        if not isinstance(definition, str) or not definition.lower().endswith(_ACR_PULL):
            continue
        if isinstance(scope, str) and (found := _REGISTRY.search(scope)):
            yield found[1]
