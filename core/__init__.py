"""What every room stands on: words, settings, database, people and their rights, trail and mail."""
