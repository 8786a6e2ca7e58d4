"""Fills an inventory from a cloud account with the fewest calls."""
