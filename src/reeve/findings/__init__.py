"""Outcomes joined with messages, policies and sections: what reports show."""
