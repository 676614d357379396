# SPDX-License-Identifier: GPL-2.0-or-later
# Debian's Prometheus, unpacked in our cache: installing the package would start
# its service. Needs say.sh, cache.sh and apt.sh.
# shellcheck shell=bash

fetch_prometheus() {
    local bin=$WORK/bin
    say 'fetching Prometheus'
    apt_get_deb "$WORK/deb" prometheus bookworm trixie ||
        die "no Prometheus: $APT_WHY"
    mkdir "$bin"
    dpkg-deb --fsys-tarfile "$APT_DEB" |
        tar -x -C "$bin" --strip-components=3 ./usr/bin/prometheus \
            ./usr/bin/promtool || die "cannot unpack $APT_DEB"
    rm -rf "$WORK/deb"
}

# Sets PROMETHEUS_BIN, the directory of prometheus and promtool.
find_prometheus() {
    cache_entry prometheus 'Prometheus' 200 apt_in_turn fetch_prometheus
    export PROMETHEUS_BIN=$ENTRY/bin
}
