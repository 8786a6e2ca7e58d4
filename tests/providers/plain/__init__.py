"""A provider that exists for tests: an inventory that answers with plain JSON over HTTP."""
