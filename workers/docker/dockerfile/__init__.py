"""What a Dockerfile fetches and asks for, read without BuildKit and never more kindly than it."""
