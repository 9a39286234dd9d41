# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Build outside the checkout: nothing is generated in it.

# A copy of the checkout's files, with its configure script made, in WORK/src. What git ignores there stays behind.
build_prepare() { # CHECKOUT WORK
	mkdir -p "$2/src"
	if [ -e "$1/.git" ]; then
		# The checkout may be another user's: this runs as root.
		git -c safe.directory='*' -C "$1" ls-files -z --cached --others --exclude-standard --deduplicate |
			while IFS= read -r -d '' f; do
				if [ -e "$1/$f" ]; then printf '%s\0' "$f"; fi
			done |
			tar -C "$1" --null -T - -cf - | tar -C "$2/src" -xf - || return 1
	else
		tar -C "$1" -cf - . | tar -C "$2/src" -xf - || return 1
	fi
	(cd "$2/src" && timeout 300 ./autogen.sh)
}

build_configure() { # WORK NAME [ARGUMENT OF CONFIGURE]...
	local work=$1 dir=$1/$2
	shift 2
	mkdir -p "$dir"
	(cd "$dir" && timeout 300 "$work/src/configure" "$@")
}

build_make() { # WORK NAME [ARGUMENT OF MAKE]...
	local dir=$1/$2
	shift 2
	timeout 1200 make -C "$dir" -j"$(nproc)" "$@"
}

# For a benchmark that changes the system: a build in a folder of its own, $work, which goes with the shell.
build_bench() { # TOP
	[ "$(id -u)" = 0 ] || { echo "this needs root, for accounts and mounts of its own: run it with sudo" >&2; exit 2; }
	packages_install tests >&2
	work=$(mktemp -d /tmp/gltoken-bench.XXXXXX)
	trap 'rm -rf "$work"' EXIT
	chmod 755 "$work"
	{
		build_prepare "$1" "$work"
		build_configure "$work" build
		build_make "$work" build all
	} >"$work/log" 2>&1 || { tail -n 40 "$work/log" >&2; exit 1; }
}
