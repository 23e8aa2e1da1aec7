"""The exercises of notebook 02, in its order."""

from diffedu.classroom.checks.posterior import posterior_variance

EXERCISES = (posterior_variance.EXERCISE,)
