# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# A Debian that has never seen gltoken: made by debootstrap from where this host's apt fetches, in a folder on a tmpfs.

# The first Debian mirror that apt uses here, and how it is reached. SUITE is this host's unless it is given.
fresh_debian() { # DIR [SUITE]
	local dir=$1 here suite mirror
	here=$(. /etc/os-release && echo "$VERSION_CODENAME")
	suite=${2:-$here}
	# shellcheck disable=SC2016 # apt-get expands it
	mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
		awk -v s="$here" '$2 == s { print $3; exit }')
	[ -n "$mirror" ] || { echo "apt has no mirror for $here" >&2; return 1; }
	timeout 600 debootstrap --variant=minbase "$suite" "$dir" "$mirror" || return 1
	printf 'deb %s %s main\n' "$mirror" "$suite" >"$dir/etc/apt/sources.list"
	# Proxies and the like, as the administrator has set them.
	cp /etc/apt/apt.conf.d/* "$dir/etc/apt/apt.conf.d/"
	cp /etc/resolv.conf "$dir/etc/resolv.conf"
	printf '#!/bin/sh\nexit 101\n' >"$dir/usr/sbin/policy-rc.d"
	chmod 755 "$dir/usr/sbin/policy-rc.d"
	fresh_mounts "$dir"
}

fresh_mounts() { # DIR
	mount -t proc proc "$1/proc"
	mount --rbind /dev "$1/dev"
}

# Another one, with all that the first has now. What happens in either is not seen in the other.
fresh_copy() { # OF DIR
	mkdir -p "$2" "$2.upper" "$2.work"
	mount -t overlay overlay -o "lowerdir=$1,upperdir=$2.upper,workdir=$2.work" "$2" || return 1
	fresh_mounts "$2"
}

# Run a command in there, with a time limit and nothing of this environment.
in_fresh() { # DIR COMMAND...
	local dir=$1
	shift
	timeout 600 env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
		chroot "$dir" "$@"
}

# Packages of the checkout for that system, built and tested in a copy of it, in FOLDER. After packages.sh.
fresh_debs() { # BASE CHECKOUT FOLDER
	local copy=$1.builder
	fresh_copy "$1" "$copy"
	# shellcheck disable=SC2154 # of packages.sh
	in_fresh "$copy" sh -c 'apt-get install -y -qq --no-install-recommends "$@" >/dev/null' - build-essential debhelper \
		dh-nss fakeroot libcmocka-dev libpam-wrapper libpamtest0-dev perl "${packages_apt[@]}" || return 1
	mkdir "$copy/src" "$copy/out"
	git -c safe.directory='*' -C "$2" ls-files -z --cached --others --exclude-standard |
		tar -C "$2" --null -T - -cf - | tar -C "$copy/src" -xf -
	in_fresh "$copy" env DEB_BUILD_OPTIONS=parallel=2 /src/tools/package-deb /out || return 1
	cp -R "$copy/out" "$3"
}
