"""The answers of the JSON API, each defined once."""
