"""Log Analytics: workspaces as resources."""

from __future__ import annotations

from sandbox.azure.operationalinsights.workspaces import WorkspaceHandler

HANDLERS = (WorkspaceHandler,)
