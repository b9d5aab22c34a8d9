"""How Resource Manager words what is wrong with a template.

https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-invalid-template
"""

from __future__ import annotations

from sandbox.arm.errors import ArmError, bad_request


def invalid_template(what: str) -> ArmError:
    """400 InvalidTemplate: found before anything is deployed."""
    return bad_request("InvalidTemplate", f"Deployment template validation failed: '{what}'.")


def not_here(what: str) -> ArmError:
    """400 for what Azure has and this Azure has not, in words that cannot be taken for a broken template."""
    return bad_request("NotSupported", f"Template deployments of the sandbox do not support {what}.")
