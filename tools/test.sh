#!/usr/bin/env bash
# The checks behind `make test` and, with the argument all, `make test-all`.
# Every step runs even when an earlier one fails: one run shows all there is to mend.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python=.venv/bin/python
steps=3
if [ "${1:-}" = all ]; then
    steps=6
    export CHROMIUM=${CHROMIUM:-/usr/bin/chromium}
    if [ ! -x "$CHROMIUM" ]; then # said now, not after minutes of other tests
        echo "The browser tests need Chromium, and $CHROMIUM is not there." \
            "On Debian: apt install chromium. Elsewhere: make test-all CHROMIUM=/path/to/chrome" >&2
        exit 1
    fi
fi

# what the tests answer is not what the reader has answered
progress=$(mktemp -d)
trap 'rm -rf "$progress"' EXIT
export DIFFEDU_PROGRESS=$progress/progress.jsonl

number=0
failed=()

step() { # step NAME COMMAND...
    number=$((number + 1))
    echo "$number/$steps $1"
    "${@:2}" || failed+=("$1")
}

style() {
    local status=0
    $python -m ruff check . || status=1
    $python -m ruff format --check . || status=1
    return $status
}

notebooks() {
    # The project's own pytest options are for unit tests; warnings of a kernel are not ours.
    # One notebook a core: most of what they compute is too small for two threads.
    OMP_NUM_THREADS=1 $python -m pytest -q -p no:cacheprovider -o addopts="" -o filterwarnings="" \
        -n auto --dist loadfile \
        --nbval-lax --nbval-current-env --nbval-cell-timeout 120 \
        --nbval-sanitize-with tests/sanitize.cfg notebooks
}

SECONDS=0
step "style (ruff)" style
step "unit tests" $python -m pytest -q -n auto
step "notebooks, each from top to bottom" notebooks
if [ "$steps" = 6 ]; then
    step "slow proofs" $python -m pytest -q -n auto -m "slow and not browser" \
        --ignore tests/test_faults.py
    # one process: the replay keeps all cores busy by itself
    step "planted faults" $python -m pytest -q -m slow tests/test_faults.py
    step "browser tests" $python -m pytest -q -m browser
fi

if [ ${#failed[@]} -gt 0 ]; then
    printf 'FAILED after %d s:' "$SECONDS"
    printf ' [%s]' "${failed[@]}"
    echo
    exit 1
fi
echo "All passed in $SECONDS s."
