"""Git: one bare mirror per repository, and one commit's files out of it."""
