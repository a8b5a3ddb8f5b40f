#!/bin/sh
# Runs a program of an unpacked image as a container does: a read-only root, a user without a name or a capability,
# processes of its own. What it writes is passed on.
#
#	image.sh ROOT USER:GROUP PROGRAM ARGUMENT...
set -eu
root=$1 user=$2
shift 2
mount --bind "$root" "$root"
[ ! -d "$root/proc" ] || mount -t proc proc "$root/proc"
mount -o remount,bind,ro "$root"
# The new programs must not gain what this one has lost.
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin setpriv --no-new-privs chroot --userspec="$user" "$root" "$@"
