"""Who is on call when, and who is paged at which minute: arithmetic on times and people, and nothing else."""
