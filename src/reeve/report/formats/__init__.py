"""The formats of reports that make a file: a module each, which is all that there is to one (`report/output.py`)."""
