"""The exercises of notebook 07, in its order."""

EXERCISES = ()
