"""What kinds of data set have in common, whatever they are of."""
