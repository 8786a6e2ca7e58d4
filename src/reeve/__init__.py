"""Reeve judges every object of a cloud account against policies kept as data."""

__version__ = "0.1.0"
