"""The target, in Harness's words."""
