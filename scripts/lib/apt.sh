# SPDX-License-Identifier: GPL-2.0-or-later
# Packages of other suites of the mirror that this machine already uses,
# through an apt configuration of our own: the machine's is never changed.
# Needs say.sh.
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

# apt_private SUITE...: make a private apt configuration for these suites,
# fetch their indexes (once a day), and export APT_CONFIG_PRIVATE, which
# apt_p uses. Fails with a message in APT_WHY.
apt_private() {
    local dir uri key suite stamp
    dir=$(cache_dir)/apt/$(printf '%s_' "$@")
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
    mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" || return 1
    for suite in "$@"; do
        echo "deb [signed-by=$key] $uri $suite main"
        echo "deb-src [signed-by=$key] $uri $suite main"
    done >"$dir/sources.list.new"
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
    export APT_CONFIG_PRIVATE=$dir/apt.conf
    stamp=$dir/updated
    if [ -n "$(find "$stamp" -mmin -1440 2>/dev/null)" ] &&
       cmp -s "$dir/sources.list" "$dir/sources.list.new"; then
        return 0
    fi
    mv "$dir/sources.list.new" "$dir/sources.list"
    if ! apt_p apt-get update >"$dir/update.log" 2>&1; then
        APT_WHY="apt could not fetch the indexes of $*: $(
            grep -m 1 '^E:' "$dir/update.log")"
        return 1
    fi
    touch "$stamp"
}

# apt_p COMMAND...: run an apt command with the private configuration.
apt_p() {
    APT_CONFIG=$APT_CONFIG_PRIVATE "$@"
}

# apt_get_deb DIR PACKAGE SUITE...: download the newest binary package that
# the mirror really has (an index may list files that do not download) from
# the suites of apt_private into DIR; its path is then in APT_DEB. Fails with
# a message in APT_WHY.
apt_get_deb() {
    local dir=$1 pkg=$2 suite log
    shift 2
    mkdir -p "$dir" || return 1
    log=$dir/$pkg.log
    for suite in "$@"; do
        rm -f "$dir/${pkg}"_*.deb
        if (cd "$dir" && apt_p apt-get -q download "$pkg/$suite") \
           >"$log" 2>&1; then
            APT_DEB=$(find "$dir" -name "${pkg}_*.deb" | head -n 1)
            [ -n "$APT_DEB" ] && return 0
        fi
    done
    APT_WHY="package $pkg does not download from $*: $(grep -m 1 '^E:' "$log")"
    return 1
}
