"""Typed stack settings, parsed once: `read` gives `Settings` or a SettingsError that says what to mend."""

from infra.settings.base import NAMESPACE
from infra.settings.model import Settings
from infra.settings.reading import SettingsError, parse, read, read_source

__all__ = ["NAMESPACE", "Settings", "SettingsError", "parse", "read", "read_source"]
