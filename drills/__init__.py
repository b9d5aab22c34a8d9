"""Drills: something is broken for real, restored by the documented command, and judged by content.

They run on the sandbox, where breaking things costs nothing. `uv run python -m drills --list`.
"""
