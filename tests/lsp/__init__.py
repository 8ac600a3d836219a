"""Tests of the language server: over standard streams as an editor drives it, and in process."""
