"""Microsoft.Resources/deployments: ARM templates deployed to resource groups, as Resource Manager does it."""

from __future__ import annotations

from sandbox.azure.deployments.handler import DeploymentHandler

HANDLERS = (DeploymentHandler,)
