"""Entry point: read the settings, compose the stack's role, export what its users need next."""

import atexit
import gc
import importlib
import os

# A program lives for seconds, and all that it makes lives as long as it does. Looking for cycles among its
# hundred thousand outputs and tasks, over and over and once more at the end, took half of a preview's time.
gc.disable()
atexit.register(gc.freeze)

import pulumi

# The SDK sends each debug message to the engine and waits until it is taken, also when nobody wants to see
# it: several for every resource, which was a sixth of a preview's time. AGENTS_DEBUG=1 brings them back.
if not os.environ.get("AGENTS_DEBUG"):
    pulumi.log.debug = lambda *_, **__: None

from infra import settings
from infra.cloud import read_cloud

wanted = settings.read(pulumi.get_stack())
stack = importlib.import_module(f"infra.stacks.{wanted.role}")  # one of three; the other two stay unread
for name, value in stack.compose(wanted, read_cloud()).items():
    pulumi.export(name, value)
