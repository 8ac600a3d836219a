"""Measures how fast Cachewise is, beside two other programs on the same inputs: ``./dev bench``."""
