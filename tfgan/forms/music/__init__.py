"""Music: pieces of a few voices in sixteenths."""
