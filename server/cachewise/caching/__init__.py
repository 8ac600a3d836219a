"""The model of the provider's cache, as pure functions over blocks, positions and tokens."""
