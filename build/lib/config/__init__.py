"""The cellar: everybody stands on it, it stands on nobody."""
