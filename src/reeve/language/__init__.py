"""The policy language: what values mean, its operations, and how a logic file is read."""
