"""Collection from Amazon Web Services."""
