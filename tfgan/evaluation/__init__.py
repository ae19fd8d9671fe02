"""Drawings judged against a data set."""
