"""Snapshots of an account: typed tables (Parquet) and a manifest that says how they came about."""
