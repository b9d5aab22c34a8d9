"""Typed stack settings, parsed once: `read` gives `Settings` or a SettingsError that says what to mend."""

from infra.settings.model import Settings
from infra.settings.reading import NAMESPACE, SettingsError, parse, read

__all__ = ["NAMESPACE", "Settings", "SettingsError", "parse", "read"]
