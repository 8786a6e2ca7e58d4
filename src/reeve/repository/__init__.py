"""A policy repository on disk: what it holds, and how policies, sections and rules are linked."""
