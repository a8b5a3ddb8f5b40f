#!/bin/sh
# Installs, upgrades, removes and purges packages of Debian in a copy of this machine, which is thrown away: its own
# files are below, and what is written goes into memory. Prints a line for each fact that the test compares.
#
#	deb.sh FOLDER OLD.deb NEW.deb
set -eu
folder=$1 old=$2 new=$3
mount -t tmpfs tmpfs "$folder"
mkdir "$folder/above" "$folder/work" "$folder/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/above,workdir=$folder/work" "$folder/root"
root=$folder/root
mount --rbind /proc "$root/proc"
mkdir -p "$root/run/systemd/system" "$root/packages"
cp "$old" "$root/packages/old.deb"
cp "$new" "$root/packages/new.deb"
rm -f "$root/var/lib/man-db/auto-update" # no index of all manual pages at each step
# What the scripts ask of systemd, and nothing in the machine's policy against it.
rm -f "$root/usr/sbin/policy-rc.d" "$root/bin/systemctl" "$root/usr/bin/systemctl"
printf '#!/bin/sh\necho "systemctl $*"\n' >"$root/usr/bin/systemctl"
chmod 755 "$root/usr/bin/systemctl"

in_root() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }
fact() { echo "== $*"; }
# facts prints what dpkg and its scripts say of interest.
facts() { grep -E '^systemctl|^clu-ws:|error' || true; }
state() {
	for path in usr/bin/clu-ws usr/lib/systemd/system/clu-ws.service etc/clu-ws/clu-ws.yaml var/log/clu-ws; do
		[ ! -e "$root/$path" ] || echo "has /$path"
	done
	in_root getent passwd clu-ws | cut -d: -f1,7
	in_root getent group clu-ws | cut -d: -f1
}

fact install
in_root dpkg -i /packages/old.deb 2>&1 | facts
state
in_root stat -c '%U:%G %a' /etc/clu-ws/clu-ws.yaml
in_root /usr/bin/clu-ws check --config /etc/clu-ws/clu-ws.yaml | head -n 1
in_root dpkg --verify clu-ws
fact upgrade of an unchanged file
in_root dpkg -i /packages/new.deb 2>&1 | facts
tail -n 1 "$root/etc/clu-ws/clu-ws.yaml"
in_root stat -c '%U:%G %a' /etc/clu-ws/clu-ws.yaml
fact upgrade of a changed file
in_root dpkg -i /packages/old.deb >/dev/null 2>&1
sed -i 's/^host: .*/host: 10.1.2.3/' "$root/etc/clu-ws/clu-ws.yaml"
in_root dpkg --force-confdef --force-confold -i /packages/new.deb 2>&1 | facts
grep '^host' "$root/etc/clu-ws/clu-ws.yaml"
ls "$root/etc/clu-ws"
fact remove
mkdir -p "$root/var/log/private/clu-ws" # as systemd makes it with DynamicUser=
ln -s private/clu-ws "$root/var/log/clu-ws"
ln -sf /usr/lib/systemd/system/clu-ws.service "$root/etc/systemd/system/multi-user.target.wants/clu-ws.service"
in_root dpkg -r clu-ws 2>&1 | facts
state
fact purge
in_root dpkg -P clu-ws 2>&1 | facts
state
ls -d "$root/etc/systemd/system/multi-user.target.wants/clu-ws.service" "$root/etc/clu-ws" "$root/var/log/clu-ws" "$root/var/log/private/clu-ws" 2>/dev/null || true
fact a person of the name clu-ws
in_root useradd --comment "Clu Ws" clu-ws
in_root dpkg -i /packages/old.deb >/dev/null 2>&1
in_root stat -c '%U:%G %a' /etc/clu-ws/clu-ws.yaml
in_root dpkg -P clu-ws 2>&1 | facts
in_root getent passwd clu-ws | cut -d: -f1,5
