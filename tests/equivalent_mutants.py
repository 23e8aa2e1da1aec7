"""Mutants that compute the same on every input that makes sense, each with the reason why."""

EQUIVALENT = {}
