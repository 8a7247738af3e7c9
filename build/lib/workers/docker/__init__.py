"""Docker: images, checks, and build output turned into packages; the only room that talks to it."""
