"""What the measured programs talk to: a model, and the Azure services that an agent uses. All in memory."""
