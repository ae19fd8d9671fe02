"""Where replicas live, and what processes that train together tell each other."""
