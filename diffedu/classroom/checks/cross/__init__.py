"""The exercises of notebook 10, in its order."""

from diffedu.classroom.checks.cross import (
    cross_look,
    guess_fall,
    guess_lead,
    look_at_words,
    look_with_time,
    repair_captions,
    scale_and_shift,
    share_of_one,
)

EXERCISES = (
    cross_look.EXERCISE,
    guess_fall.EXERCISE,
    guess_lead.EXERCISE,
    scale_and_shift.EXERCISE,
    look_at_words.EXERCISE,
    share_of_one.EXERCISE,
    look_with_time.EXERCISE,
    repair_captions.EXERCISE,
)
