"""Which images run."""

import re

from infra.policy.model import UNKNOWN, Resource, Stack
from infra.policy.rule import Faults, StackFaults, resource_rule, stack_rule
from infra.policy.rules.podspec import WORKLOADS, containers

_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
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
    """Pods pull from the environment's own registry only."""
    names = {registry.azure_name() for registry in stack.of("azure-native:containerregistry:Registry")}
    if UNKNOWN in names:
        return
    for workload in stack.of(*WORKLOADS):
        for name, container in containers(workload):
            image = container.get("image")
            host = image.partition("/")[0].partition(".")[0] if isinstance(image, str) else UNKNOWN
            if host is not UNKNOWN and host not in names:
                yield workload, f"container {name} runs {image}"
