"""Text to a tree of values with spans: ``(tree, errors)``, never an exception."""
