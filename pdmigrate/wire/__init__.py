"""One HTTP session to one server: patience, pace, and no secret in any error."""
