"""The agent application: one FastAPI image, `AGENT` picks the agent."""
