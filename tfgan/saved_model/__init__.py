"""Exports: versions on disk, signatures, model card, warm-up requests."""
