"""Keras networks, and the backward pass that both players share."""
