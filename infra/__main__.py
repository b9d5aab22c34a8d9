"""Entry point: read the settings, compose the stack's role, export what its users need next."""

import pulumi

from infra import settings
from infra.cloud import read_cloud
from infra.stacks import environment

outputs = environment.compose(settings.read(pulumi.get_stack()), read_cloud())
for name, value in outputs.items():
    pulumi.export(name, value)
