"""Repositories that mean harm, each tried with the guard off and on."""
