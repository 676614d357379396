# SPDX-License-Identifier: GPL-2.0-or-later
# Words to the person at the terminal, for the shell scripts of this tree.
# shellcheck shell=bash

# One line of progress. ME is the program's name, set by the caller.
say() {
    printf '%s: %s\n' "${ME:-qemu-mshv}" "$*"
}

# One clear error, then exit 1.
die() {
    printf '%s: error: %s\n' "${ME:-qemu-mshv}" "$*" >&2
    exit 1
}

# quietly LOG WHAT COMMAND...: run COMMAND with its output in LOG; when it
# fails, show the end of LOG and die saying that WHAT failed.
quietly() {
    local log=$1 what=$2
    shift 2
    mkdir -p "$(dirname "$log")" || die "cannot write in $(dirname "$log")"
    if ! "$@" >"$log" 2>&1 </dev/null; then
        tail -n 15 "$log" >&2
        die "$what failed; the whole output is in $log"
    fi
}

# Where things that are costly to make are kept between runs and trees.
cache_dir() {
    printf '%s/qemu-mshv' "${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}"
}

# as_root COMMAND...: run COMMAND as root, by sudo where we are not.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "'$*' needs root: run this as root, or install sudo"
    fi
}
