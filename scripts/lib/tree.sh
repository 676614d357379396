# SPDX-License-Identifier: GPL-2.0-or-later
# Trees of Debian systems, by debootstrap, from the mirror that this machine
# uses. Needs say.sh, cache.sh and apt.sh.
# shellcheck shell=bash

# debian_tree DIR SUITE [PACKAGE,...]: a minimal system, and these packages.
debian_tree() {
    local mirror
    command -v debootstrap >/dev/null ||
        die "debootstrap is missing; scripts/setup installs it"
    mirror=$(apt_mirror)
    [ -n "$mirror" ] || die "apt knows no Debian archive here"
    quietly "$ENTRY.log" "debootstrap" as_root debootstrap \
        --variant=minbase ${3:+--include="$3"} "$2" "$1" "$mirror"
}

# in_tree DIR WHAT COMMANDS: what the shell of that system does as its root;
# what it mounts or leaves running ends with it.
in_tree() {
    # shellcheck disable=SC2016
    quietly "$ENTRY.log" "$2" as_root unshare --mount --pid --fork \
        --kill-child /bin/sh -ec \
        'mount -t proc proc "$1/proc"; exec chroot "$@"' - "$1" \
        /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        DEBIAN_FRONTEND=noninteractive /bin/sh -ec "$3"
}

# What installs the packages of the list after it.
IN_TREE_INSTALL='apt-get -q -y -o Acquire::Retries=3 install
    --no-install-recommends'
IN_TREE_INSTALL=${IN_TREE_INSTALL//$'\n'/ }
# What nobody reads in such a tree.
IN_TREE_CLEAN='
apt-get clean
rm -rf /var/lib/apt/lists/* /usr/share/doc/* /usr/share/locale/* \
    /usr/share/man/* /var/cache/debconf/*
'
