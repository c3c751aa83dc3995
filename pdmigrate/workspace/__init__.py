"""The folder of one migration: settings, answers, snapshots, the journal, and who holds it."""
