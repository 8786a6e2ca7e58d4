"""Evaluates policies: the interpreter is the readable definition of what a logic file means."""
