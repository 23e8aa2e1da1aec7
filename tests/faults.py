"""Planted faults: each public function and boxed equation has a wrong version that must be noticed.

To add one, write in `faults_<room>.py`

    def swapped_roots(original):               # gets the right function
        return lambda x0, t, eps, s: ...       # gives back a wrong one; may call `original`

    Fault("q_sample: roots swapped", "diffedu.diffusion.gaussian.q_sample", swapped_roots,
          tests=("tests/test_gaussian.py",), identities=("1.5",))

and add it to that file's FAULTS (a new file: to FAULTS below). `tests` are files or node ids. One
test in them must go red, and for each of `identities` one that claims it. Slow tests run only if
named by node id. Try it: `pytest --fault NAME`, all: `pytest -m slow tests/test_faults.py`.
Plant what a person gets wrong (an index off by one, a variance for a std), nothing that crashes.
"""

import faults_attention
import faults_attention_view
import faults_bound
import faults_checks
import faults_classroom
import faults_data
import faults_gaussian
import faults_identities
import faults_identities_attention
import faults_identities_cross
import faults_identities_heads
import faults_identities_images
import faults_identities_linear
import faults_nets
import faults_recipes
import faults_reverse
import faults_sampling
import faults_schedules
import faults_timesteps

FAULTS = (
    *faults_schedules.FAULTS,
    *faults_gaussian.FAULTS,
    *faults_identities.FAULTS,
    *faults_sampling.FAULTS,
    *faults_timesteps.FAULTS,
    *faults_nets.FAULTS,
    *faults_recipes.FAULTS,
    *faults_bound.FAULTS,
    *faults_data.FAULTS,
    *faults_classroom.FAULTS,
    *faults_checks.FAULTS,
    *faults_reverse.FAULTS,
    *faults_attention_view.FAULTS,
    *faults_attention.FAULTS,
    *faults_identities_attention.FAULTS,
    *faults_identities_heads.FAULTS,
    *faults_identities_images.FAULTS,
    *faults_identities_linear.FAULTS,
    *faults_identities_cross.FAULTS,
)
