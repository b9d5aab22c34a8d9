"""What is watched, and from when on it is too much: pure data in, rules out. No resource is made here."""
