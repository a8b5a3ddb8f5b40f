# Becomes a systemd of its own, as process 1 of its namespaces: it shares the network with the machine, and no
# service, cgroup, log or setting. Run by testkit.StartSystemd:
#
#	unshare --mount --pid --uts --ipc --fork --kill-child sh -eu -c SCRIPT sh CGROUP FOLDER PROGRAM
#
# The units are in FOLDER. PROGRAM becomes /usr/local/bin/clu-ws.
cgroup=$1 folder=$2 program=$3
if [ "$cgroup" != - ]; then
	read -r pid _ </proc/self/stat # as the machine sees it
	mount --make-rprivate /
	mount -t proc proc /proc
	mkdir -p "$folder/cgroup"
	mount -t cgroup2 none "$folder/cgroup"
	mkdir "$folder/cgroup/$cgroup"
	echo 1 >"$folder/cgroup/$cgroup/cgroup.procs"
	echo "process $pid"
	exec unshare --cgroup sh -eu -c "$(cat "$folder/systemd.sh")" sh - "$folder" "$program"
fi
umount "$folder/cgroup"
# It must not change the machine's settings.
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
mount -o remount,bind,ro /sys
mount -t cgroup2 none /sys/fs/cgroup

etc=$(mktemp -d)
mount -t tmpfs none "$etc"
for file in passwd group nsswitch.conf ld.so.cache hosts resolv.conf localtime alternatives; do
	[ ! -e "/etc/$file" ] || cp -a "/etc/$file" "$etc"
done
mkdir -p "$etc/systemd/system" "$etc/clu-ws"
cp "$folder"/units/* "$etc/systemd/system"
mount -t tmpfs none /usr/local/bin
cp "$program" /usr/local/bin/clu-ws
mount --move "$etc" /etc
for dir in /var /run /tmp; do
	mount -t tmpfs none "$dir"
done
mkdir -p /var/log /var/lib
mkdir -m 755 /run/credentials # as the first service with credentials makes it at boot, with its umask
mount --make-rshared / # among its services, which get their credentials by that
exec env -i container=test PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	SYSTEMD_UNIT_PATH=/etc/systemd/system SYSTEMD_GENERATOR_PATH=/run/none SYSTEMD_LOG_TARGET=null \
	/lib/systemd/systemd --system --unit=basic.target --show-status=no
