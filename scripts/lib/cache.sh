# SPDX-License-Identifier: GPL-2.0-or-later
# What is costly to make is kept between runs and trees. An entry of the cache
# is a directory. It is made beside its place, gets a list of its files' sums,
# and is renamed; whoever uses it compares the sums.
# Needs say.sh.
# shellcheck shell=bash

SUMS=SHA256SUMS

# need_cache: the cache directory is then in CACHE. There are programs in it
# that are run, so it is never at a place where others may write.
need_cache() {
    local base=${XDG_CACHE_HOME:-} home
    if [ -z "$base" ]; then
        home=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}
        [ -n "$home" ] ||
            die "you have no home directory: set HOME or XDG_CACHE_HOME"
        base=$home/.cache
    fi
    plain_path 'the path of the cache directory' "$base"
    case $base in
    /*) CACHE=$base/qemu-mshv ;;
    *) die "the cache directory, $base, must be an absolute path: see" \
           "HOME and XDG_CACHE_HOME" ;;
    esac
}

# seal DIR: write the sums of all files that we may read.
seal() {
    local list
    list=$(cd "$1" &&
           find . -type f ! -path "./$SUMS*" -readable -print0 | sort -z |
           xargs -0 -r sha256sum) || die "cannot read $1"
    printf '%s\n' "$list" >"$1/$SUMS.$$" && mv "$1/$SUMS.$$" "$1/$SUMS" ||
        die "cannot write $1/$SUMS"
}

# is_whole DIR: is it as it was when it was sealed?
is_whole() {
    [ -s "$1/$SUMS" ] &&
        (cd "$1" && sha256sum --check --status --strict "$SUMS") 2>/dev/null
}

# Also what root has made for us.
remove() {
    rm -rf "$1" 2>/dev/null || as_root rm -rf "$1"
}

# make_entry COMMAND...: COMMAND makes the entry ENTRY in WORK.
make_entry() {
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 129' HUP
    trap 'remove "$WORK"' EXIT
    remove "$WORK"              # of one that was killed
    mkdir "$WORK" || die "cannot write in $(dirname "$WORK")"
    "$@"
    seal "$WORK"
    remove "$ENTRY"
    mv "$WORK" "$ENTRY" || die "cannot write $ENTRY"
}

# cache_entry NAME WHAT MB COMMAND...: the entry NAME; its path is then in
# ENTRY. Where it is missing or not whole, COMMAND makes it, once, in the
# directory WORK; WHAT takes MB megabytes meanwhile.
cache_entry() {
    local name=$1 what=$2 mb=$3 lock
    shift 3
    need_cache
    ENTRY=$CACHE/$name
    WORK=$ENTRY.new
    if is_whole "$ENTRY"; then
        return
    fi
    in_turn "$ENTRY.lock" "$what"
    lock=$IN_TURN
    if ! is_whole "$ENTRY"; then
        [ ! -e "$ENTRY" ] ||
            say "$ENTRY is damaged or incomplete, and made again" >&2
        need_space "$CACHE" "$mb" "$what"
        (make_entry "$@")
    fi
    exec {lock}>&-
}
