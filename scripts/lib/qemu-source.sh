# SPDX-License-Identifier: GPL-2.0-or-later
# QEMU's source: find it, and unpack it into the build directory.
# Needs say.sh, cache.sh and apt.sh.
# shellcheck shell=bash

QEMU_SERIES=10.0

# What else can be done when there is no source package.
other_ways() {
    printf '%s' "give ./configure --qemu-source=DIR (an unpacked QEMU \
$QEMU_SERIES tree) or --dist-dir=DIR (the .dsc and tar files of Debian's \
qemu $QEMU_SERIES source package)"
}

# find_dsc DIR: the .dsc of QEMU 10.0 in DIR; empty if there is none.
find_dsc() {
    find "$1" -maxdepth 1 -name "qemu_$QEMU_SERIES*.dsc" 2>/dev/null |
        sort -V | tail -n 1
}

# dsc_problem DSC: what is wrong with a file that DSC lists; nothing if each has
# its sum.
dsc_problem() {
    local dsc=$1 sum size file path listed=no
    while read -r sum size file; do
        listed=yes
        path=$(dirname "$dsc")/$file
        if [ ! -r "$path" ]; then
            echo "$file is missing"
        elif [ "$(sha256sum <"$path")" != "$sum  -" ]; then
            echo "$file ($(stat -c %s "$path") of $size bytes) has not the" \
                "sum that $(basename "$dsc") lists: it is damaged or altered"
        fi
    done < <(awk '/^[^ ]/ { on = $1 == "Checksums-Sha256:"; next }
                  on && NF == 3' "$dsc")
    [ $listed = yes ] || echo "$(basename "$dsc") lists no files"
}

# The keys that dpkg-source knows, if there are any.
have_source_keys() {
    [ -r /usr/share/keyrings/debian-keyring.gpg ] ||
        [ -r /usr/share/keyrings/debian-keyring.pgp ] ||
        [ -r "${HOME:-}/.gnupg/trustedkeys.gpg" ]
}

# unpack_dsc DSC DIR: a tree as the distribution builds it. dpkg-source
# checks the files against the sums in the .dsc, and its signature where
# there are keys.
unpack_dsc() {
    local dsc=$1 dir=$2
    unpack() {
        rm -rf "$dir"
        LC_ALL=C dpkg-source --no-copy "$@" -x "$dsc" "$dir"
    }
    say "unpacking $(basename "$dsc")"
    if ! have_source_keys; then
        quietly "$dir.log" "unpacking $dsc" unpack
    elif ! unpack --require-valid-signature >"$dir.log" 2>&1; then
        if ! grep -qE 'No public key|Missing key' "$dir.log"; then
            die "$dsc does not unpack with a valid signature:" \
                "$(sed -n 's/^dpkg-source: error: //p' "$dir.log" | head -n 1)"
        fi
        say "no key that is here has signed it: its sums alone are checked"
        quietly "$dir.log" "unpacking $dsc" unpack
    fi
    rm -rf "$dir/.pc" "$dir.log"
}

# copy_tree SOURCE DIR: a copy, so that the user's tree stays as it is.
copy_tree() {
    local version
    version=$(cat "$1/VERSION" 2>/dev/null) ||
        die "--qemu-source: $1 is no QEMU source tree (no file VERSION)"
    case $version in
    "$QEMU_SERIES".*) ;;
    *) die "--qemu-source: $1 is QEMU $version; $QEMU_SERIES.x is needed" ;;
    esac
    [ -d "$1/subprojects/keycodemapdb" ] ||
        die "--qemu-source: $1 lacks subprojects/keycodemapdb: use a" \
            "release tarball, or run 'meson subprojects download' in it"
    rm -rf "$2"
    say "copying QEMU $version from $1"
    cp -a "$1" "$2" || die "cannot copy $1 to $2"
}

# download_source: the distribution's source package, checked by apt
# against the signed index, into WORK. Where a suite lists files that the
# mirror no longer has, the next one is tried.
download_source() {
    local suite why=
    for suite in trixie trixie-updates bookworm-backports; do
        if ! apt_private "$suite"; then
            why="$APT_WHY"
            continue
        fi
        say "downloading QEMU's source package from $suite"
        if (cd "$WORK" && apt_p apt-get -q source --download-only \
                --only-source "qemu/$suite") >"$WORK/log" 2>&1 &&
           [ -n "$(find_dsc "$WORK")" ]; then
            rm "$WORK/log"
            return
        fi
        apt_failed "the mirror does not have the files that its index for \
$suite lists ($(apt_reason "$WORK/log"))"
        why=$APT_WHY
        find "$WORK" -name 'qemu_*' -delete
    done
    die "no QEMU $QEMU_SERIES source: $why; $(other_ways)"
}

# get_qemu_source BUILD SOURCE DIST: put QEMU's source into BUILD/qemu from
# the tree SOURCE or the directory DIST, or by download if both are empty.
# Nothing is done if it is there already.
get_qemu_source() {
    local build=$1 source=$2 dist=$3 id problem dsc=
    if [ -n "$source" ]; then
        [ -d "$source" ] || die "--qemu-source: $source is no directory"
        source=$(cd "$source" && pwd)
        id="tree $source $(cat "$source/VERSION" 2>/dev/null || true)"
    elif [ -n "$dist" ]; then
        [ -d "$dist" ] || die "--dist-dir: $dist is no directory"
        dsc=$(find_dsc "$dist")
        [ -n "$dsc" ] ||
            die "--dist-dir: $dist has no qemu_$QEMU_SERIES*.dsc"
        id="package $(sha256sum <"$dsc")"
    elif [ -d "$build/qemu" ]; then
        return
    else
        cache_entry dist "QEMU's source package" 100 \
            apt_in_turn download_source
        dsc=$(find_dsc "$ENTRY")
        id="package $(sha256sum <"$dsc")"
    fi
    if [ -d "$build/qemu" ] &&
       [ "$(cat "$build/.qemu-source" 2>/dev/null)" = "$id" ]; then
        return
    fi
    need_space "$build" 1200 "QEMU's source with a build of it"
    if [ -n "$dsc" ]; then
        problem=$(dsc_problem "$dsc")
        [ -z "$problem" ] || die "$(dirname "$dsc"): ${problem%%$'\n'*}"
        unpack_dsc "$dsc" "$build/qemu.new"
    else
        copy_tree "$source" "$build/qemu.new"
    fi
    rm -rf "$build/qemu" "$build/.configured"
    mv "$build/qemu.new" "$build/qemu"
    printf '%s\n' "$id" >"$build/.qemu-source"
}
