"""Data sets as the trainer sees them, their batches, and the embedded drawings."""
