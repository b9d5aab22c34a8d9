"""`python -m sandbox.engine.kubernetes --port N`: serve the provider."""

from sandbox.engine.kubernetes.provider import KubernetesPlug
from sandbox.engine.plug import main

if __name__ == "__main__":
    main(KubernetesPlug())
