"""`python -m sandbox.engine.command --port N`: serve the provider."""

from sandbox.engine.command.provider import CommandPlug
from sandbox.engine.plug import main

if __name__ == "__main__":
    main(CommandPlug())
