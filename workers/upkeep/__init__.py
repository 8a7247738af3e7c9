"""What is done now and then: sweep, poll, prune, retention."""
