"""The inner loop: the state of a game of two networks, its step and its drawings."""
