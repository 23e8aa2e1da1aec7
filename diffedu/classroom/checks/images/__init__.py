"""The exercises of notebook 08, in its order."""

EXERCISES = ()
