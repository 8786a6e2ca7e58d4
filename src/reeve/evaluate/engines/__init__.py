"""Engines that run the queries of the columnar evaluator: one class each."""
