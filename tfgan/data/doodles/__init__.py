"""The embedded data set: line drawings of ten kinds."""
