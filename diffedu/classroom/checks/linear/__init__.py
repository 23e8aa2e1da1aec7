"""The exercises of notebook 09, in its order."""

EXERCISES = ()
