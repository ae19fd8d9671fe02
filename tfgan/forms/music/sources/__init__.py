"""The kinds of data set that music comes from."""
