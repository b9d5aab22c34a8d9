"""Events: how many a process publishes and consumes a second, and how far behind its consumer is."""
