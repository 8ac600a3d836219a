"""Cachewise shows what an LLM provider's prompt cache will do with a request."""

__version__ = "0.1.0"
