"""A tree of values to a request: blocks in prefix order, marks, parameters. One file a shape."""
