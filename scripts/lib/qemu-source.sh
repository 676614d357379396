# SPDX-License-Identifier: GPL-2.0-or-later
# QEMU's source: find it, and unpack it into the build directory.
# Needs say.sh, cache.sh and apt.sh.
# shellcheck shell=bash

# The series of QEMU that there are patches for, and the one that is built
# where there is a choice. The caller may set another.
QEMU_ALL_SERIES='10.0 10.2'
: "${QEMU_SERIES:=10.0}"

# check_series: die unless QEMU_SERIES is one of them.
check_series() {
    case " $QEMU_ALL_SERIES " in
    *" $QEMU_SERIES "*) ;;
    *) die "there are no patches for QEMU $QEMU_SERIES, but for these:" \
           "$QEMU_ALL_SERIES" ;;
    esac
}

# What else can be done when there is no source package.
other_ways() {
    printf '%s' "give ./configure --qemu-source=DIR (an unpacked QEMU \
$QEMU_SERIES tree) or --dist-dir=DIR (the .dsc and tar files of Debian's \
qemu $QEMU_SERIES source package)"
}

# find_dsc DIR: the .dsc of QEMU's series in DIR; empty if there is none.
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
    case " $QEMU_ALL_SERIES " in
    *" ${version%.*} "*) ;;
    *) die "--qemu-source: $1 is QEMU $version; one of the series" \
           "$QEMU_ALL_SERIES is needed" ;;
    esac
    [ -d "$1/subprojects/keycodemapdb" ] ||
        die "--qemu-source: $1 lacks subprojects/keycodemapdb: use a" \
            "release tarball, or run 'meson subprojects download' in it"
    rm -rf "$2"
    say "copying QEMU $version from $1"
    cp -a "$1" "$2" || die "cannot copy $1 to $2"
}

# kept_sources: the versions of QEMU's series in the index of the private apt
# configuration, the newest first, as apt-get source takes them. What other
# packages were built with stays in an archive for their sake, and apt tells of
# it only who asks for the version.
kept_sources() {
    apt_p apt-get indextargets --format '$(FILENAME)' 'Created-By: Sources' |
        while read -r index; do
            apt_p /usr/lib/apt/apt-helper cat-file "$index"
        done |
        awk -v "series=$QEMU_SERIES" '
            /^Package:/ { ours = $2 == "qemu" }
            ours && /^Version:/ {
                version = $2
                sub(/^[0-9]+:/, "", version)
                if (index(version, series ".") == 1) print "qemu=" $2
            }' | sort -rV
}

# source_suites: where a package of QEMU's series may be.
source_suites() {
    case $QEMU_SERIES in
    10.0) echo trixie trixie-updates bookworm-backports ;;
    *) echo sid ;;
    esac
}

# source_requests SUITE: what to ask apt for, the best first.
source_requests() {
    case $1 in
    sid) kept_sources ;;
    *) echo "qemu/$1" ;;
    esac
}

# download_source: the distribution's source package, checked by apt
# against the signed index, into WORK. Where a suite lists files that the
# mirror no longer has, the next one is tried.
download_source() {
    local suite request why=
    for suite in $(source_suites); do
        if ! apt_private "$suite"; then
            why="$APT_WHY"
            continue
        fi
        why="$suite has none"
        for request in $(source_requests "$suite"); do
            say "downloading QEMU's source package from $suite"
            if (cd "$WORK" && apt_p apt-get -q source --download-only \
                    --only-source "$request") >"$WORK/log" 2>&1 &&
               [ -n "$(find_dsc "$WORK")" ]; then
                rm "$WORK/log"
                return
            fi
            apt_failed "the mirror does not have the files that its index for \
$suite lists ($(apt_reason "$WORK/log"))"
            why=$APT_WHY
            find "$WORK" -name 'qemu_*' -delete
        done
    done
    die "no QEMU $QEMU_SERIES source: $why; $(other_ways)"
}

# source_package: download_source's files, in the cache; ENTRY is the directory.
source_package() {
    cache_entry "qemu-$QEMU_SERIES" "QEMU's source package" 100 \
        apt_in_turn download_source
}

# get_qemu_source BUILD SOURCE DIST: put QEMU's source into BUILD/qemu from
# the tree SOURCE or the directory DIST, or by download if both are empty.
# Nothing is done if it is there already. Of the last two it is one of
# QEMU_SERIES.
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
    elif [ "$(tree_series "$build/qemu")" = "$QEMU_SERIES" ]; then
        return
    else
        source_package
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

# tree_series DIR: the series that the source tree DIR is of.
tree_series() {
    cut -d. -f1-2 "$1/VERSION" 2>/dev/null
}
