# SPDX-License-Identifier: GPL-2.0-or-later
# Packages of other suites of the mirror that this machine already uses,
# through an apt configuration of our own: the machine's is never changed.
# Needs say.sh and cache.sh.
# shellcheck shell=bash
# The results APT_WHY and APT_DEB are for the caller, and apt, not the shell,
# expands the fields of --format:
# shellcheck disable=SC2034,SC2016

# The archive's URI as the machine's own apt configuration has it; nothing
# where apt is not set up for Debian.
apt_mirror() {
    apt-get indextargets \
        --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Created-By: Packages' \
        2>/dev/null | sed -n 's/^Debian|Debian|//p' | head -n 1
}

# The keyring that signs the archive.
apt_keyring() {
    local key
    for key in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
        if [ -r "$key" ]; then
            printf '%s' "$key"
            return
        fi
    done
    return 1
}

# apt_in_turn COMMAND...: what COMMAND does with apt_private is not disturbed by
# another build of this user, which has the same indexes.
apt_in_turn() {
    local lock status=0
    need_cache
    in_turn "$CACHE/apt/.lock" 'a download'
    lock=$IN_TURN
    "$@" || status=$?
    exec {lock}>&-
    return $status
}

# apt_reason LOG: the line in which apt says why it failed.
apt_reason() {
    grep -m 1 '^E:' "$1" 2>/dev/null || tail -n 1 "$1" 2>/dev/null
}

# apt_failed WHY: what apt knows may be old or damaged, so the next run
# fetches the indexes again.
apt_failed() {
    APT_WHY=$1
    rm -f "$(dirname "$APT_CONFIG_PRIVATE")/updated"
}

# apt_private SUITE: make a private apt configuration for this suite, fetch
# its indexes (once a day), and export APT_CONFIG_PRIVATE, which apt_p uses.
# Fails with a message in APT_WHY.
apt_private() {
    local dir uri key
    need_cache
    dir=$CACHE/apt/$1
    APT_WHY=
    if ! command -v apt-get >/dev/null; then
        APT_WHY='this machine has no apt-get'
        return 1
    fi
    uri=$(apt_mirror)
    if [ -z "$uri" ]; then
        APT_WHY="apt knows no Debian archive here (run 'apt-get update' once)"
        return 1
    fi
    if ! key=$(apt_keyring); then
        APT_WHY='the package debian-archive-keyring is not installed'
        return 1
    fi
    if ! apt_configure "$dir" "$uri" "$key" "$1" 2>/dev/null; then
        APT_WHY="cannot write in $dir"
        return 1
    fi
    export APT_CONFIG_PRIVATE=$dir/apt.conf
    if [ -n "$(find "$dir/updated" -mmin -1440 2>/dev/null)" ] &&
       cmp -s "$dir/sources.list" "$dir/sources.list.new"; then
        return 0
    fi
    need_space "$dir" 300 "the indexes of $1"
    # Without Error-Mode apt is content with a part of them.
    if ! mv "$dir/sources.list.new" "$dir/sources.list" ||
       ! apt_p apt-get -o APT::Update::Error-Mode=any update \
            >"$dir/update.log" 2>&1; then
        apt_failed "apt could not fetch the indexes of $1: $(
            apt_reason "$dir/update.log")"
        return 1
    fi
    touch "$dir/updated"
}

# apt_configure DIR URI KEY SUITE: the files of apt_private.
apt_configure() {
    local dir=$1
    mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" &&
        printf '%s [signed-by='"$3] $2 $4 main\n" deb deb-src \
            >"$dir/sources.list.new" || return 1
    cat >"$dir/apt.conf" <<END
Dir::Etc::sourcelist "$dir/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::lists "$dir/lists";
Dir::Cache "$dir/cache";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Sandbox::User "";
END
}

# apt_p COMMAND...: run an apt command with the private configuration.
apt_p() {
    APT_CONFIG=$APT_CONFIG_PRIVATE "$@"
}

# apt_get_deb DIR PACKAGE SUITE...: download a binary package into DIR, which
# is the caller's alone, from the first suite whose index the mirror has, and
# the package, too (an index may list files that do not download); its path is
# then in APT_DEB. Fails with a message in APT_WHY.
apt_get_deb() {
    local dir=$1 pkg=$2 suite log
    shift 2
    log=$dir/$pkg.log
    if ! mkdir -p "$dir" 2>/dev/null || ! : >"$log"; then
        APT_WHY="cannot write in $dir"
        return 1
    fi
    for suite in "$@"; do
        apt_private "$suite" || continue
        if (cd "$dir" && apt_p apt-get -q download "$pkg/$suite") \
           >"$log" 2>&1; then
            APT_DEB=$(find "$dir" -name "${pkg}_*.deb" | head -n 1)
            [ -n "$APT_DEB" ] && return 0
        fi
        apt_failed "package $pkg does not download from $suite: $(
            apt_reason "$log")"
        rm -f "$dir/${pkg}"_*.deb       # a part of one
    done
    return 1
}
