# SPDX-License-Identifier: GPL-2.0-or-later
# TAP for tests that are shell scripts. A test is a function; what it prints
# is shown when it fails, so it should print what it saw.
# shellcheck shell=bash

tap_count=0
tap_failed=0

# t DESCRIPTION FUNCTION [ARG...]: run one test, in a shell of its own, where
# any command that fails makes it fail, in a pipe, too.
t() {
    local what=$1 out status
    shift
    tap_count=$((tap_count + 1))
    set +e
    out=$(set -e -o pipefail; "$@" 2>&1)
    status=$?
    set -e
    if [ $status = 0 ]; then
        echo "ok $tap_count - $what"
    elif [ $status = 77 ] && [[ ${out##*$'\n'} = 'SKIP '* ]]; then
        echo "ok $tap_count - $what # ${out##*$'\n'}"
    else
        tap_failed=$((tap_failed + 1))
        echo "not ok $tap_count - $what"
        printf '%s\n(exit status %s)\n' "$out" "$status" | sed 's/^/# /'
    fi
}

# Why this test cannot run here; to be used in a test's function.
tap_skip() {
    printf 'SKIP %s\n' "$*"
    exit 77
}

tap_done() {
    echo "1..$tap_count"
    [ $tap_failed = 0 ]
}

# Assertions: each says what it saw.

# is SEEN EXPECTED
is() {
    if [ "$1" != "$2" ]; then
        printf 'saw:      %s\nexpected: %s\n' "$1" "$2"
        return 1
    fi
}

# has TEXT PART: TEXT contains PART.
has() {
    case $1 in
    *"$2"*) ;;
    *) printf 'saw:                 %s\nexpected to contain: %s\n' "$1" "$2"
       return 1 ;;
    esac
}

# hasnt TEXT PART
hasnt() {
    case $1 in
    *"$2"*) printf 'saw:                     %s\nexpected not to contain: %s\n' \
                "$1" "$2"
            return 1 ;;
    esac
}

# fails_with PART COMMAND...: COMMAND exits with 1 and one line that has PART.
fails_with() {
    local part=$1 out status=0
    shift
    out=$("$@" 2>&1 >/dev/null) || status=$?
    is "$status" 1 || return
    has "$out" "$part" || return
    is "$(wc -l <<<"$out") lines: $out" "1 lines: $out"
}
