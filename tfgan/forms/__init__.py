"""Art forms: what the trainer must be told of one, and the forms there are."""
