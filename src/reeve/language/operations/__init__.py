"""The operations of the policy language, a class each."""
