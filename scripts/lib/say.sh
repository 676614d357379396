# SPDX-License-Identifier: GPL-2.0-or-later
# Words to the person at the terminal, for the shell scripts of this tree, and
# what all of them need before their first step.
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

# plain_path WHAT PATH: die if make, ninja, or the shell scripts of QEMU and of
# the kernel would take a part of PATH for something else.
plain_path() {
    case $2 in
    *[[:space:]:\;\"\'\`\\\$\#\&\|\<\>\(\)\*\?]*)
        die "$1 '$2' has a space, a colon, or a character that is special to" \
            "make or a shell: use another path" ;;
    esac
}
plain_path "the path of this tree" \
    "$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"

# Where Debian has what its users have not in PATH.
PATH=$PATH:/usr/sbin:/sbin

# Ctrl-C ends the script, whatever the command that it interrupts makes of it.
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# quietly LOG WHAT COMMAND...: run COMMAND, which may be a function, in a shell
# of its own with its output in LOG; when it fails in any step, show the end of
# LOG and die saying that WHAT failed.
quietly() {
    local log=$1 what=$2 status
    shift 2
    mkdir -p "$(dirname "$log")" || die "cannot write in $(dirname "$log")"
    set +e
    (set -e; "$@") >"$log" 2>&1 </dev/null
    status=$?
    set -e
    if [ $status != 0 ]; then
        tail -n 15 "$log" >&2
        die "$what failed; the whole output is in $log"
    fi
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

# need_space DIR MB WHAT: die if there is no room for WHAT, which takes MB
# megabytes, in DIR; it may be that it is not there yet.
need_space() {
    local dir=$1 free
    while [ ! -d "$dir" ]; do
        dir=$(dirname "$dir")
    done
    free=$(df --output=avail -m "$dir" 2>/dev/null | tail -n 1)
    # Not every file system says.
    [[ $free =~ ^\ *[0-9]+$ ]] || return 0
    [ "$free" -ge "$2" ] ||
        die "$dir has $((free)) MB free; $3 takes $2 MB"
}

# in_turn FILE WHAT: hold the lock FILE, which is for WHAT, waiting for who holds
# it. The lock's
# descriptor is then in IN_TURN; it is given back by 'exec {IN_TURN}>&-', and
# at the end.
in_turn() {
    { mkdir -p "$(dirname "$1")" && exec {IN_TURN}>"$1"; } 2>/dev/null ||
        die "cannot write $1"
    if ! flock -n "$IN_TURN"; then
        say "waiting for another process: $2" >&2
        flock "$IN_TURN"
    fi
}
