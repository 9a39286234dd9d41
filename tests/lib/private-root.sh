#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Run a command as root in a copy of this system that vanishes with it: accounts, /etc, /usr and /var may be
# changed at will, the host sees nothing of it, and whatever the command leaves running is ended with it.
#
#   private-root.sh [--lower DIR]... [--upper DIR] [--read DIR]... [--write DIR]... [--] COMMAND [ARG]...
#
#   --lower DIR   what an earlier run kept in its --upper, as a layer between this system and the copy
#   --upper DIR   keep the changes there (an empty folder on a tmpfs of the caller); default: forget them
#   --read DIR    show this folder of the host at the same place, read only
#   --write DIR   the same, writable
#
# Network, devices and kernel are the host's; processes, mounts, /dev/log, /run and /tmp are the copy's own.
set -eu

die() {
	echo "private-root: $*" >&2
	exit 125
}

lowers='' upper='' reads=() writes=() stage=''
while [ $# -gt 0 ]; do
	case $1 in
	--lower) lowers=${lowers:+$lowers:}$2; shift 2 ;;
	--upper) upper=$2; shift 2 ;;
	--read) reads+=("$2"); shift 2 ;;
	--write) writes+=("$2"); shift 2 ;;
	--stage) stage=$2; shift 2 ;;
	--) shift; break ;;
	-*) die "unknown option $1" ;;
	*) break ;;
	esac
done
[ $# -gt 0 ] || die "no command given"

if [ -z "$stage" ]; then
	[ "$(id -u)" = 0 ] || die "this needs root: run it with sudo"
	base=$(mktemp -d "${TMPDIR:-/tmp}/private-root.XXXXXX")
	trap 'rmdir "$base"' EXIT
	# A mount namespace is what most containers withhold, so that failure is told apart from the command's.
	unshare --mount --pid --fork true 2>/dev/null ||
		die "the kernel refuses new namespaces here: in a container, CAP_SYS_ADMIN (docker --privileged) is needed"
	args=(--stage "$base" ${upper:+--upper "$upper"} ${lowers:+--lower "$lowers"})
	for d in ${reads[@]+"${reads[@]}"}; do args+=(--read "$d"); done
	for d in ${writes[@]+"${writes[@]}"}; do args+=(--write "$d"); done
	rc=0
	unshare --mount --propagation private --pid --fork --kill-child "$0" "${args[@]}" -- "$@" || rc=$?
	exit "$rc"
fi

# One overlay of a folder of the host: changes go to $upper (which is on a tmpfs, for an upper layer beneath
# its own lower one is refused with ELOOP).
overlay() { # LOWER UPPER WORK AT
	mkdir -p "$2" "$3"
	mount -t overlay overlay -o "lowerdir=$1,upperdir=$2,workdir=$3" "$4" ||
		die "cannot lay an overlay over $1: the kernel needs overlayfs, and two levels of it in a container"
}

root=$stage/root
mount -t tmpfs -o size=75%,mode=0755 private-root "$stage" ||
	die "cannot mount here: in a container, CAP_SYS_ADMIN without an AppArmor profile is needed"
mkdir "$root"
if [ -n "$upper" ]; then
	# The work folder must be on the file system of the upper one, and not in it.
	overlay "${lowers:+$lowers:}/" "$upper" "$upper.work" "$root"
else
	overlay "${lowers:+$lowers:}/" "$stage/upper" "$stage/work" "$root"
fi

# A copy of / does not hold what is mounted below it; parts of the system on file systems of their own follow.
n=0
while read -r at type; do
	case $at in
	/usr | /usr/* | /var | /var/* | /etc | /opt | /home | /root | /srv) ;;
	*) continue ;;
	esac
	case $type in
	ext[234] | xfs | btrfs | f2fs | zfs | overlay | bcachefs) ;;
	*) continue ;;
	esac
	if [ ! -d "$at" ] || [ ! -d "$root$at" ]; then continue; fi
	n=$((n + 1))
	overlay "$at" "$stage/upper.$n" "$stage/work.$n" "$root$at"
done < <(findmnt -rn -o TARGET,FSTYPE)

# Of a gltoken that is installed here the copy has the programs at most: tests begin with no store and no configuration.
if [ -z "$lowers" ]; then rm -rf "$root/var/lib/gltoken" "$root/etc/gltoken"; fi

mount -t proc proc "$root/proc" || die "cannot mount /proc"
mount --rbind /sys "$root/sys"
for d in run tmp dev; do mount -t tmpfs -o mode=0755 "private-$d" "$root/$d"; done
chmod 1777 "$root/tmp"
mkdir -p "$root/run/lock" "$root/run/sshd" "$root/dev/pts" "$root/dev/shm"
chmod 1777 "$root/run/lock" "$root/dev/shm"
# Binding a node works where mknod is refused.
for node in null zero full random urandom tty; do
	: >"$root/dev/$node"
	mount --bind "/dev/$node" "$root/dev/$node"
done
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"
# Containers bind these over empty files of the image; elsewhere they are links into /run.
for f in hosts resolv.conf; do
	if [ -r "/etc/$f" ]; then cp -L --remove-destination "/etc/$f" "$root/etc/$f"; fi
done

show() { # DIR MODE
	[ -d "$1" ] || die "$1 is not a folder"
	mkdir -p "$root$1"
	mount --bind "$1" "$root$1"
	[ "$2" = rw ] || mount -o remount,bind,ro "$root$1"
}
for d in ${reads[@]+"${reads[@]}"}; do show "$d" ro; done
for d in ${writes[@]+"${writes[@]}"}; do show "$d" rw; done

cd /
exec chroot "$root" /usr/bin/env -u TMPDIR "$@"
