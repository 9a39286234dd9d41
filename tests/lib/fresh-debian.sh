# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# A Debian that has never seen gltoken: made by debootstrap from where this host's apt fetches, in a folder on a tmpfs.

# The first Debian mirror and suite that apt uses here, and how it is reached.
fresh_debian() { # DIR
	local dir=$1 suite mirror
	suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
	# shellcheck disable=SC2016 # apt-get expands it
	mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
		awk -v s="$suite" '$2 == s { print $3; exit }')
	[ -n "$mirror" ] || { echo "apt has no mirror for $suite" >&2; return 1; }
	timeout 600 debootstrap --variant=minbase "$suite" "$dir" "$mirror" || return 1
	printf 'deb %s %s main\n' "$mirror" "$suite" >"$dir/etc/apt/sources.list"
	# Proxies and the like, as the administrator has set them.
	cp /etc/apt/apt.conf.d/* "$dir/etc/apt/apt.conf.d/"
	cp /etc/resolv.conf "$dir/etc/resolv.conf"
	printf '#!/bin/sh\nexit 101\n' >"$dir/usr/sbin/policy-rc.d"
	chmod 755 "$dir/usr/sbin/policy-rc.d"
	mount -t proc proc "$dir/proc"
	mount --rbind /dev "$dir/dev"
}

# Run a command in there, with a time limit and nothing of this environment.
in_fresh() { # DIR COMMAND...
	local dir=$1
	shift
	timeout 600 env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
		chroot "$dir" "$@"
}
