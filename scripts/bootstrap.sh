#!/bin/sh
# Makes .venv from a lock file: `scripts/bootstrap.sh requirements.lock` (what runs) or
# `scripts/bootstrap.sh requirements-dev.lock` (what tests need too). Needs Python 3.11 or newer, nothing else.
# A second call with an unchanged lock file does nothing. Run by make; safe to run by hand.
set -eu
cd "$(dirname "$0")/.."
lock=${1:-requirements.lock}
venv=.venv

say() { printf '%s\n' "$*" >&2; }

usable() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for name in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null 2>&1 && usable "$name"; then
            command -v "$name"
            return
        fi
    done
    say "fenghuo needs Python 3.11 or newer; install it (Debian 12, Ubuntu 24.04: apt-get install python3) or set PYTHON=/path/to/python3"
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif sudo -n true 2>/dev/null; then sudo -n "$@"; else return 1; fi
}

# Debian and Ubuntu ship venv's installer as a package of its own.
make_venv() {
    python=$1
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        say "Python's venv is missing, installing the package python3-venv"
        if ! { as_root apt-get update -qq &&
            as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv; } >/dev/null; then
            say "run this once, then again what you ran: sudo apt-get install python3-venv"
            exit 1
        fi
    fi
    "$python" -m venv "$venv"
}

# The development lock holds everything of the other, so a development environment serves both.
stamp=$(cat "$lock" pyproject.toml | cksum)
for done_lock in "$lock" requirements-dev.lock; do
    if [ "$(cat "$venv/.installed-$done_lock" 2>/dev/null)" = "$(cat "$done_lock" pyproject.toml | cksum)" ]; then
        exit 0
    fi
done

# An environment that was interrupted has no pip; one whose Python went away does not run.
if ! { usable "$venv/bin/python" && "$venv/bin/python" -m pip --version >/dev/null 2>&1; }; then
    python=$(find_python)
    make_venv "$python"
fi
say "installing $lock into $venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r "$lock"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --no-deps --no-build-isolation -e .
printf '%s' "$stamp" >"$venv/.installed-$lock"
