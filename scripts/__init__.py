"""Set-up of the work tree, for make."""
