"""Azure OpenAI: accounts, deployments, and a data plane that the `openai` SDK takes for the real one."""

from __future__ import annotations

from sandbox.azure.cognitiveservices import ollama
from sandbox.azure.cognitiveservices.accounts import AccountHandler
from sandbox.azure.cognitiveservices.deployments import DeploymentHandler
from sandbox.azure.cognitiveservices.plane import OpenAIPlane
from sandbox.azure.cognitiveservices.rai_policies import RaiPolicyHandler
from sandbox.azure.cognitiveservices.rates import RateLimiter
from sandbox.services import Services

HANDLERS = (AccountHandler, DeploymentHandler, RaiPolicyHandler)


def mount(services: Services) -> None:
    plane = OpenAIPlane(services, RateLimiter(), ollama.configured())
    services.router.mount(f"*.{services.names.service('openai')}", plane.app())
