"""A run as a whole: its end of each step, headless by papermill, its summary, seal and publication."""
