"""Load: one agent's process and LiteLLM's proxy before the same stub of a model, driven by wrk.

Nothing but loopback is used, every stage is bounded in time, and every process is ended by its id.
"""
