"""The outer loop: a run, its directory, clock, checkpoints and reports."""
