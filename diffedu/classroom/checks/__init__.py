'''Exercises that answer back.

    from diffedu.classroom.checks import check, progress

    check.posterior_variance(your_function)   # what is wrong, where, by how much, which equation
    check.posterior_variance.hint()           # up to three, from gentle to concrete
    check.posterior_variance.solution()       # the package's source, once you have tried
    check.posterior_variance.explain("variance used as std")   # what that would do, in numbers
    progress()                                # what is done

How to add an exercise
----------------------
Write one file, say `posterior/peak.py`, and name its EXERCISE in `posterior/__init__.py`:

    """Exercise: where the posterior has its peak."""

    from diffedu.classroom.checks.exercise import FLOAT32, Exercise, Misconception
    from diffedu.classroom.checks.inputs import cases_of
    from diffedu.diffusion.gaussian import posterior


    def peak(x0, xt, t, s):
        """Where q(x_{t-1} | x_t, x_0) is largest: at its mean (2.8)."""
        return posterior(x0, xt, t, s)[0]


    EXERCISE = Exercise(
        name="peak",                                # check.peak, and the name of the stub
        label="2.8",                                # the equation it asks for
        statement="peak(x0, xt, t, s): where q(x_{t-1} | x_t, x_0) is largest.",
        reference=peak,                             # a package function, or a few lines over some
        cases=cases_of("x0", "xt", "t", "s"),       # inputs, made anew from a generator each time
        tolerance=FLOAT32,
        tested="three schedules, points and pictures, t from 1 to T.",
        misconceptions=(
            Misconception(
                "x_0 alone",
                lambda x0, xt, t, s: x0,
                "You returned x_0; x_t has a say too, with the weight c_t of (2.8).",
                "2.8",
            ),
            ...
        ),
        hints=("A gentle one.", "A clearer one.", "A concrete one, and still not the code."),
    )

`tests/` then asks of it, without another line: the reference passes, each misconception is
recognised under its own name, no two are alike on the inputs, 40 kinds of garbage get a friendly
answer, every mechanical mutation of the reference is rejected, no check takes a second. Three
differently written right answers go to `tests/right_answers_<room>.py`, the stub into its notebook
at the place that the room's list gives it, and `python tests/golden_messages.py` stores what the
exercise says: read it aloud.

What makes it good: choose inputs on which every mistake shows, sizes that all differ, and a
tolerance that a float32 answer meets. A diagnosis says what was done and what the equation asks
for instead, in one sentence; it does not say what to type. Two mistakes that behave alike are one
entry that names both readings. Grade with formulas and exact chains, never by training.

The modules: `exercise` (what an exercise is), `inputs` and `bench` (for authors), `attempt` and
`outcome` (running somebody's code), `compare`, `habits` and `judge` (the verdict), `wording`,
`consequence`, `answers`, `pictures` and `card` (what is said), `solution` (the answer key),
`record` (what is done), `course` (`check` and `progress`).
'''

from diffedu.classroom.checks.course import check, progress

__all__ = ["check", "progress"]
