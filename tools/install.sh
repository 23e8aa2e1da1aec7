#!/usr/bin/env bash
# Make .venv and install the course into it.  Usage: tools/install.sh lab|dev
# The stamp is written last, so a half-made .venv is never taken for complete.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

wanted=${1:?lab or dev}
stamp=.venv/installed
log=.venv/install.log
# A changed pyproject.toml or a moved clone needs a new install: an editable one knows its folder.
state="$(cksum <pyproject.toml) $PWD"

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

is_complete() {
    [ -x .venv/bin/python ] && [ -f "$stamp" ] || return 1
    grep -qxF "$wanted $state" "$stamp" || grep -qxF "dev $state" "$stamp" # dev holds all of lab
}

version_of() {
    "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null
}

is_new_enough() {
    [[ $1 =~ ^3\.([0-9]+)\. ]] && [ "${BASH_REMATCH[1]}" -ge 11 ]
}

find_python() {
    local names=(python3 python3.13 python3.12 python3.11) name version too_old=
    [ -z "${PYTHON:-}" ] || names=("$PYTHON") # the one asked for, or none
    for name in "${names[@]}"; do
        version=$(version_of "$name") || continue
        if is_new_enough "$version"; then
            printf '%s\n' "$name"
            return
        fi
        too_old=${too_old:-"\`$name\` is $version"}
    done
    fail "diffedu needs Python 3.11 or newer; ${too_old:-"\`${names[0]}\` was not found"}." \
        "Install a newer one or say: make lab PYTHON=/path/to/python3.12"
}

make_venv() {
    local python
    python=$(find_python)
    # Debian keeps these in a package of their own; without them venv dies half-way.
    "$python" -c 'import ensurepip, venv' 2>/dev/null || fail \
        "\`$python\` cannot make virtual environments. On Debian or Ubuntu: apt install python3-venv"
    echo "Making .venv with Python $(version_of "$python")"
    "$python" -m venv --clear .venv || fail "\`$python -m venv .venv\` failed; its message is above."
}

venv_works() {
    is_new_enough "$(version_of .venv/bin/python)" && .venv/bin/python -m pip --version >/dev/null 2>&1
}

pip_install() {
    # Only the large downloads are shown. --log also keeps what pip does not say.
    .venv/bin/python -m pip install --no-input --disable-pip-version-check --progress-bar off \
        --log "$log" "$@" 2>&1 |
        awk '/Downloading .*[0-9] [MG]B\)/ { sub(/^ */, "  "); print; fflush() }'
}

install_packages() {
    # Without CUDA torch is ten times smaller. Its index is asked for torch alone.
    if [ -n "${CPU:-}" ]; then
        pip_install --extra-index-url https://download.pytorch.org/whl/cpu \
            "$(grep -o 'torch==[0-9.]*' pyproject.toml)" || return 1
    fi
    if [ "$wanted" = dev ]; then pip_install -e '.[dev]'; else pip_install -e .; fi
}

explain_failure() {
    local error offline='NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError'
    offline+='|Failed to establish a new connection|Network is unreachable'
    offline+='|requirement setuptools.*from versions: none' # pure Python: every index offers it
    if grep -qE "$offline" "$log" && ! grep -q 'No space left' "$log"; then
        fail "Could not install the packages: is this machine online?" \
            "The first install needs the network; the full pip log is in $log"
    fi
    error=$(grep -m 1 -o 'ERROR: No matching .*' "$log" || grep -o 'ERROR: .*' "$log" | tail -n 1) ||
        error="pip gave no reason"
    fail "Could not install the packages with Python $(version_of .venv/bin/python):" \
        "${error#ERROR: }; the full pip log is in $log"
}

if is_complete; then exit 0; fi
rm -f "$stamp"
# A PYTHON that is asked for is taken, even where an unfinished .venv has another one.
if [ -n "${PYTHON:-}" ] || ! venv_works; then make_venv; fi
: >"$log"
echo "Installing the packages into .venv: a few minutes the first time"
install_packages || explain_failure
printf '%s\n' "$wanted $state" >"$stamp"
