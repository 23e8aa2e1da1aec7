"""The exercises of notebook 10, in its order."""

EXERCISES = ()
