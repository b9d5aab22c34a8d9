"""Entry point: read the settings, compose the stack's role, export what its users need next."""

import atexit
import gc

# A program lives for seconds, and all that it makes lives as long as it does. Looking for cycles among its
# hundred thousand outputs and tasks, over and over and once more at the end, took half of a preview's time.
gc.disable()
atexit.register(gc.freeze)

import pulumi

from infra import settings
from infra.cloud import read_cloud
from infra.stacks import environment

outputs = environment.compose(settings.read(pulumi.get_stack()), read_cloud())
for name, value in outputs.items():
    pulumi.export(name, value)
