"""The six steps, history and undo: what reads both sides and what writes to Harness."""
