"""The exercises of notebook 06, in its order."""

EXERCISES = ()
