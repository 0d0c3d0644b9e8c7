#!/bin/sh
# Installs what the stack tests start: `scripts/install-servers.sh`, on Debian or Ubuntu, as root or by sudo.
# Does nothing when all is there. Run by `make test-stack`; safe to run by hand and again.
# Kafka and Elasticsearch come from Maven Central when a test first asks for them; see tests/README.md.
set -eu

say() { printf '%s\n' "$*" >&2; }

have() {
    for name; do
        command -v "$name" >/dev/null 2>&1 && return
    done
    return 1
}

# Debian keeps PostgreSQL's programs outside of PATH, a folder a version.
have_postgresql() {
    for initdb in /usr/lib/postgresql/*/bin/initdb; do
        [ -x "$initdb" ] && return
    done
    have initdb
}

# The browser driver's own Node.js is linked against it, and a small Debian goes without.
have_libatomic() {
    for library in /usr/lib/*/libatomic.so.1 /usr/lib*/libatomic.so.1; do
        [ -e "$library" ] && return
    done
    return 1
}

missing_packages() {
    have prometheus || echo prometheus
    have prometheus-alertmanager alertmanager && have amtool || echo prometheus-alertmanager
    have prometheus-node-exporter || echo prometheus-node-exporter
    have victoria-metrics victoria-metrics-prod || echo victoria-metrics
    have go || echo golang-go # old as it may be, it fetches a newer one
    have_postgresql || echo postgresql
    have mvn || echo maven # brings a Java runtime with it
    have chromium chromium-browser google-chrome || echo chromium
    have_libatomic || echo libatomic1
    have systemd-analyze || echo systemd # reads our unit
    have dbus-daemon || echo dbus-daemon # the collector systemd is tested on a real bus
}

# Standard input stays with the terminal, where sudo may ask for the password.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif have sudo && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
        sudo "$@"
    else
        say "this needs root; run once: sudo $0"
        exit 1
    fi
}

# The packages bring services. Tests start their own on free ports, so the packages' stay down while they are
# installed: they could fail on a port that is taken, and nobody asked for them. A policy of the machine's own
# is left as it is, and ours goes when we do.
INSTALL='
set -eu
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap '\''rm -f "$policy"'\'' EXIT
    trap '\''exit 1'\'' INT TERM HUP
    printf "#!/bin/sh\nexit 101\n" >"$policy"
    chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get install -y -qq --no-install-recommends "$@"
'

packages=$(missing_packages)
[ -n "$packages" ] || exit 0
if ! have apt-get; then
    say "no apt-get here; install by other means the programs of these Debian packages:" $packages
    exit 1
fi

say "installing:" $packages
as_root apt-get update -qq >&2
offered= refused=
for package in $packages; do
    if apt-cache show "$package" >/dev/null 2>&1; then offered="$offered $package"; else refused="$refused $package"; fi
done
[ -z "$offered" ] || as_root sh -c "$INSTALL" install-servers $offered >&2

still=$(missing_packages)
[ -z "$still" ] && exit 0
say "still missing:" $still
[ -z "$refused" ] || say "this release of $(. /etc/os-release && echo "$PRETTY_NAME") has no package$refused"
exit 1
