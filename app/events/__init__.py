"""Events: the topic that agents publish to, and the queue that each of them is delivered to."""
