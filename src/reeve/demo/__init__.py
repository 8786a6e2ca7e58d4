"""The simulated account of a small company; touches nothing outside this machine."""
