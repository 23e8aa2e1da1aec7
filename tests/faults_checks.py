"""Faults of the exercises: what a check would get wrong about an attempt."""

from dataclasses import replace

from planting import Fault

CHECKS = "diffedu.classroom.checks"
# short ones: a fault is replayed with all of the tests it names
CARDS, HABITS, RECORD = (f"tests/test_{name}.py" for name in ("checks", "habits", "record"))
STUBS = "tests/test_exercises.py::test_an_untouched_stub_is_not_attempted"
LINES = "tests/test_garbage.py::test_an_error_is_shown_short_and_at_the_learners_line"


def everything_agrees(original):
    return lambda mine, right, tolerance: True


def shapes_do_not_matter(original):
    return lambda one, other: one.numel() == other.numel()


def nothing_is_recognised(original):
    return lambda exercise, mine, right: ()


def the_first_is_always_recognised(original):
    return lambda exercise, mine, right: exercise.misconceptions[:1]


def a_stub_is_an_attempt(original):
    return lambda attempt: False


def every_none_is_a_stub(original):
    return lambda attempt: "print" in attempt.__code__.co_names or original(attempt)


def errors_have_no_place(original):
    return lambda error, attempt: ""


def changes_go_unseen(original):
    return lambda cases, untouched: ""


def lists_go_unseen(original):
    """As if only tensors could change."""

    def changed_argument(cases, untouched):
        def bare(case):
            return {name: 0 if isinstance(x, list) else x for name, x in case.items()}

        return original([bare(case) for case in cases], [bare(case) for case in untouched])

    return changed_argument


def true_is_one(original):
    return lambda exercise: False


def chance_goes_unseen(original):
    return lambda mine, again: False


def no_objection(original):
    return lambda exercise, function: ""


def rounding_is_blamed(original):
    return lambda mine, right: True


def the_right_value_is_told(original):
    def difference(exercise, case, yours, target):
        return original(exercise, case, yours, target) + f" It is {target[0].flatten()[0]:.6f}."

    return difference


def nothing_is_escaped(original):
    return lambda text: text


def the_solution_does_not_wait(original):
    return lambda self, tried=False: original(self, tried=True)


def the_first_hint_for_ever(original):
    def hint(self):
        self.hints_given = 0
        return original(self)

    return hint


def no_own_consequence(original):
    return lambda exercise, wrong: original(replace(exercise, consequence=None), wrong)


def nothing_is_noted(original):
    return lambda self, exercise, event: None


def damage_goes_unsaid(original):
    return lambda self: (original(self)[0], "")


def a_torn_line_takes_the_next_with_it(original):
    def add(self, exercise, event):
        import json

        from diffedu.classroom.checks import record

        with open(record._path(), "ab") as file:
            file.write(json.dumps({"exercise": exercise, "event": event}).encode() + b"\n")

    return add


FAULTS = (
    Fault("agrees: always", f"{CHECKS}.compare.agrees", everything_agrees, (CARDS,)),
    Fault(
        "same_shape: sizes only", f"{CHECKS}.compare.same_shape", shapes_do_not_matter, (HABITS,)
    ),
    Fault("recognise: nothing", f"{CHECKS}.judge.recognise", nothing_is_recognised, (CARDS,)),
    Fault(
        "recognise: the first",
        f"{CHECKS}.judge.recognise",
        the_first_is_always_recognised,
        (CARDS,),
    ),
    Fault("is_stub: never", f"{CHECKS}.attempt.is_stub", a_stub_is_an_attempt, (STUBS,)),
    Fault("is_stub: any None", f"{CHECKS}.attempt.is_stub", every_none_is_a_stub, (HABITS,)),
    Fault("error: no line", f"{CHECKS}.attempt._place", errors_have_no_place, (LINES,)),
    Fault(
        "changed_argument: never", f"{CHECKS}.habits.changed_argument", changes_go_unseen, (HABITS,)
    ),
    Fault(
        "changed_argument: no lists",
        f"{CHECKS}.habits.changed_argument",
        lists_go_unseen,
        (HABITS,),
    ),
    Fault("difference: True is 1", f"{CHECKS}.wording._asks_true_or_false", true_is_one, (HABITS,)),
    Fault("is_random: never", f"{CHECKS}.habits.is_random", chance_goes_unseen, (HABITS,)),
    Fault("objection: none", f"{CHECKS}.judge._objection", no_objection, (CARDS,)),
    Fault("only_rounded: always", f"{CHECKS}.habits.only_rounded", rounding_is_blamed, (HABITS,)),
    Fault(
        "difference: tells the value",
        f"{CHECKS}.wording.difference",
        the_right_value_is_told,
        (CARDS,),
    ),
    Fault("card: nothing escaped", f"{CHECKS}.card._rich", nothing_is_escaped, (CARDS,)),
    Fault(
        "solution: at once", f"{CHECKS}.course.Check.solution", the_solution_does_not_wait, (CARDS,)
    ),
    Fault(
        "hint: the first for ever", f"{CHECKS}.course.Check.hint", the_first_hint_for_ever, (CARDS,)
    ),
    Fault(
        "consequence_of: none of its own",
        f"{CHECKS}.consequence.consequence_of",
        no_own_consequence,
        ("tests/test_checks.py::test_an_explanation_computes_what_would_happen",),
    ),
    Fault("record: nothing noted", f"{CHECKS}.record.Record.add", nothing_is_noted, (RECORD,)),
    Fault("record: damage unsaid", f"{CHECKS}.record.Record.events", damage_goes_unsaid, (RECORD,)),
    Fault(
        "record: appended to a torn line",
        f"{CHECKS}.record.Record.add",
        a_torn_line_takes_the_next_with_it,
        (RECORD,),
    ),
)
