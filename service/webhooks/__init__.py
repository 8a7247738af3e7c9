"""What others tell us: deliveries of GitHub, answers of Slack, verdicts of SonarQube."""
