"""Azure components, one per file. Each owns its resource, the roles on it and what belongs to it."""
