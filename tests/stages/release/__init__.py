"""How a release is planned, carried out and undone."""
