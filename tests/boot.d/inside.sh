# Within the booted machine: the blocks of docs/service.md in their order, and what is claimed in between.
# Sourced by tests/boot.

fail() { echo "error: $*" >&2; exit 1; }
say() { printf '\n== %s\n' "$*"; }

# The page, with everything between its `sh booted` blocks turned into comments and its marks into functions.
page() {
    awk '
        /^```sh booted$/ { code = 1; print "say \"" FILENAME ":" FNR "\""; next }
        /^```$/ { code = 0; next }
        code { print; next }
        /^<!-- tests\/boot: / { sub(/^<!-- tests\/boot: /, ""); sub(/ -->$/, ""); gsub(/ /, "_"); print }
    ' docs/service.md
}

# A link with a delivery and its key, from the samples.
a_link() {
    made=$(mktemp -d)
    sh tests/samples/install.sh --policies policies "$made" small-20 >/dev/null
    cp "$made"/layouts/*.yaml /etc/batchward/layouts/
    sed 's#^inbox: .*#inbox: /srv/batchward/drop/moca-full#; s#^keybox: .*#keybox: /srv/batchward/keys/moca-full#' \
        "$made/links/moca-full.yaml" >/etc/batchward/links/moca-full.yaml
    cp "$made"/links/*.allowed_signers /etc/batchward/links/
    mkdir /etc/batchward/people
    for name in anna boris; do
        ssh-keygen -q -t ed25519 -N '' -C "$name" -f "/root/$name"
        cp "/root/$name.pub" /etc/batchward/people/
    done
    # As a provider's user of its own would drop it.
    useradd provider
    chown provider /srv/batchward/drop/moca-full
    cp -r "$made/drop/moca-full/." /tmp/delivery
    chown -R provider /tmp/delivery
    cp "$made"/keys/moca-full/* /tmp/batch-key
}

drops() {
    runuser -u provider -- sh -c 'umask 007; cd /tmp/delivery; for name in *; do
        mkdir "/srv/batchward/drop/moca-full/.$name" && cp "$name"/* "/srv/batchward/drop/moca-full/.$name/" &&
        mv "/srv/batchward/drop/moca-full/.$name" "/srv/batchward/drop/moca-full/$name"; done'
    install -m 0600 -o batchward -g batchward /tmp/batch-key /srv/batchward/keys/moca-full/MOCA-1151102-0006.key
}

# A transient unit with the service's own restrictions, but for what it runs: what would a captured agent get?
restricted() {
    name=$1
    shift
    sed '/^\[Install\]/,$d; /^ExecStart=/d; /^ExecReload=/d; /^Type=/d; /^WatchdogSec=/d; /^Restart/d' \
        systemd/batchward.service >"/run/systemd/system/$name.service"
    mkdir -p "/run/systemd/system/$name.service.d"
    cp /etc/batchward/batchward.service.d/paths.conf "/run/systemd/system/$name.service.d/"
    printf '[Service]\nType=oneshot\nExecStart=%s\n' "$*" >"/run/systemd/system/$name.service.d/what.conf"
    command systemctl daemon-reload
    command systemctl start "$name.service"
}

page >/boot-test/page.sh
[ "$(grep -c '^say ' /boot-test/page.sh)" -ge 8 ] || fail "the page has lost its commands"
# The passphrase is typed: here it comes from a stand-in for the terminal.
systemd-ask-password() { printf 'a synthetic passphrase'; }
systemctl() {
    # What the page asks of the timer and the service is watched, and a delivery comes before the runs.
    command systemctl "$@" || { command systemctl status --no-pager "${!#}"; fail "systemctl $*"; }
}
set -eE
trap 'journalctl --no-pager -o cat -u batchward -u batchward-once | tail -20' ERR
. /boot-test/page.sh

say "the real service manager refuses what the unit takes away"
refused() {
    if restricted probe "$1" 2>/dev/null; then fail "'$1' was not refused"; fi
}
restricted probe /usr/bin/true || fail "the restrictions refuse everything"
restricted probe "/usr/bin/touch /var/lib/batchward/probe" || fail "the state cannot be written"
restricted probe "/usr/bin/touch /srv/batchward/drop/moca-full/probe" || fail "the inbox cannot be written"
refused "/usr/bin/touch /etc/batchward/probe"
refused "/usr/bin/touch /srv/batchward/probe"
for folder in /srv/batchward/drop/moca-full /srv/batchward/keys/moca-full /var/lib/batchward /etc/batchward /srv; do
    install -m 0755 /usr/bin/true "$folder/program"
    refused "$folder/program"
    rm "$folder/program"
done
refused "/bin/sh -c 'cp /usr/bin/true /tmp/program && /tmp/program'"
refused "/usr/bin/python3 -c 'import socket; socket.socket(socket.AF_INET)'"
refused "/usr/bin/python3 -c 'import mmap; mmap.mmap(-1, 4096, prot=7)'"
refused "/usr/bin/unshare --user /usr/bin/true"
refused "/usr/bin/cat /root/anna"
rm /var/lib/batchward/probe /srv/batchward/drop/moca-full/probe

say "a delivery goes through, confined"
drops
command systemctl start batchward-once.service
journalctl --no-pager -o cat -u batchward-once | tail -5
journalctl --no-pager -o cat -u batchward-once | grep -q 'loaded  MOCA-1151102-0006' || fail "it was not loaded"
if journalctl --no-pager -o cat -u batchward-once | grep -q 'not confined'; then fail "without Landlock"; fi
[ -z "$(ls /srv/batchward/drop/moca-full /srv/batchward/keys/moca-full | grep -v :)" ] || fail "originals were left"
say "the resident agent answers its user and the group, and reads its files again"
command systemctl stop batchward-once.timer
command systemctl start batchward.service
agent() { runuser -u "$1" -- /usr/local/bin/batchward "${@:2}"; }
agent batchward batch list --json | grep -q '"loaded"' || fail "it does not answer its own user"
[ "$(stat -c '%a %U %G' /run/batchward)" = "750 batchward batchward" ] || fail "the socket's folder"
[ "$(stat -c '%a %U %G' /run/batchward/control.sock)" = "660 batchward batchward" ] || fail "the socket"
useradd -G batchward member
came=0
agent member status >/dev/null 2>&1 || came=$?
[ "$came" = 77 ] || fail "a member without an account ended with $came"
command systemctl reload batchward.service
command systemctl is-active batchward.service
systemctl show --property=StatusText batchward.service
if journalctl --no-pager -o cat -u batchward | grep -e 'could not confine' -e ERROR; then fail "the log"; fi
command systemctl stop batchward.service
[ "$(command systemctl show --property=ExecMainStatus --value batchward.service)" = 0 ] || fail "its end"
say "all held"
