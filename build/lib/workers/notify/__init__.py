"""People are told how deploys go: Slack and email."""
