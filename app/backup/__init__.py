"""Copies of what has no backup of its own: a vault's secrets and the events that could not be delivered."""
