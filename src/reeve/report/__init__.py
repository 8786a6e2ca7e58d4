"""The outputs: one module each."""
