#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What a look-up of an account costs through libnss_gltoken, nss files, libnss-extrausers and libnss-db, with the same
# accounts in all of them, in one run. They are measured in turn, in another order each round, so that what else the
# machine does hits all alike. A table goes to stdout, the same as JSON to FILE.
set -euo pipefail

usage() {
	cat <<'END'
usage: sudo tests/bench/nss.sh [--rounds N] [--accounts N,N..] [--json FILE]

  --rounds N       measure each N times (5)
  --accounts N,..  how many there are (1000,100000,1000000)
  --json FILE      write the figures there as well
END
}

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
lib=$top/tests/lib
rounds=5 accounts=1000,100000,1000000 json=''
while [ $# -gt 0 ]; do
	case $1 in
	--rounds) rounds=${2:?}; shift 2 ;;
	--accounts) accounts=${2:?}; shift 2 ;;
	--json) json=$(realpath -m -- "${2:?}"); shift 2 ;;
	--help | -h) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
done
[[ $rounds =~ ^[1-9][0-9]{0,2}$ && $accounts =~ ^[1-9][0-9]{0,6}(,[1-9][0-9]{0,6})*$ ]] || { usage >&2; exit 2; }

# shellcheck source=tests/lib/packages.sh
. "$lib/packages.sh"

# ---- outside: build, and install in a root that vanishes ----

if [ -z "${BENCH_BUILD-}" ]; then
	# shellcheck source=tests/lib/build.sh
	. "$lib/build.sh"
	build_bench "$top"
	"$lib/private-root.sh" --read "$top" --write "$work" -- env BENCH_BUILD="$work/build" \
		"$here/nss.sh" --rounds "$rounds" --accounts "$accounts" --json "$work/result.json"
	if [ -n "$json" ]; then cp "$work/result.json" "$json"; fi
	exit 0
fi

# ---- inside ----

# shellcheck source=tests/lib/e2e.sh
. "$lib/e2e.sh"
FIRST=100000
T=$E2E_DIR
sources=(gltoken files extrausers db)

prepare() {
	make -C "$BENCH_BUILD" install >/dev/null 2>&1
	packages_apt_get install libnss-extrausers libnss-db
	mkdir -p "$T" /etc/gltoken /var/lib/extrausers
	printf '[nss]\nuids = range\ngroups = yes\nuid_min = %d\nuid_max = 20000000\n' $FIRST >/etc/gltoken/gltoken.conf
	: >/etc/subuid
	: >/etc/subgid
	gltoken init
	cc -O2 -D_GNU_SOURCE -Wall -Wextra -o "$T/nss" "$here/nss.c"
	E2E_BUILD=$BENCH_BUILD e2e_cc_core "$T/forge" "$top/tests/nss/forge.c"
	cp /etc/passwd "$T/passwd"
	cp /etc/group "$T/group"
}

# The private root's overlay makes every open half as dear again, which no host does: all sources leave it alike.
leave_overlay() {
	local at
	for at in /var/lib/gltoken /var/lib/extrausers /var/lib/misc; do
		cp -a $at "$T/copy"
		mount -t tmpfs -o mode=755 bench $at
		cp -a "$T/copy/." $at
		rm -r "$T/copy"
	done
	for at in passwd group; do
		cp -p /etc/$at /run/bench.$at
		mount --bind /run/bench.$at /etc/$at
	done
}

# The same accounts everywhere, each with a group of its own as useradd makes it, and one group with fifty.
fill() { # COUNT
	local dir=$T/new members
	mkdir -p "$dir"
	members=$(seq -f 'user%.0f' -s , 0 $(($1 < 50 ? $1 - 1 : 49)))
	seq 0 $(($1 - 1)) | awk -v first=$FIRST '{ printf "user%d:x:%d:%d:somebody:/nonexistent:/bin/false\n", $1, first + $1,
		first + $1 }' >"$dir/passwd"
	{
		seq 0 $(($1 - 1)) | awk -v first=$FIRST '{ printf "user%d:x:%d:\n", $1, first + $1 }'
		echo "gl_project_1:x:19999999:$members"
	} >"$dir/group"
	cat "$T/passwd" "$dir/passwd" >/etc/passwd
	cat "$T/group" "$dir/group" >/etc/group
	cp "$dir/passwd" "$dir/group" /var/lib/extrausers/
	rm -f /var/lib/misc/*.db
	make -s -C /var/lib/misc ETC="$dir" DBS='passwd group' >/dev/null
	"$T/forge" /var/lib/gltoken/public/nss.cdb "$1" @gl_project_1:19999999
	chown gltoken /var/lib/gltoken/public/nss.cdb
	sync
}

measure_all() {
	local n round source
	for n in ${accounts//,/ }; do
		fill "$n"
		for ((round = 0; round < rounds; round++)); do
			while read -r source; do
				timeout 120 "$T/nss" "$source" "$n" $FIRST 0.1 >"$T/one" ||
					{ echo "$source with $n accounts failed" >&2; exit 1; }
				while read -r function ns times; do
					echo "$n $function $source $round $ns $times" >>"$T/figures"
				done <"$T/one"
			done < <(shuf -e "${sources[@]}")
		done
		echo "$n accounts: measured" >&2
	done
}

# Medians, and the median of what each was to gltoken in the same round.
report() {
	jq -n --raw-input --argjson cpus "$(nproc)" --arg load "$(cut -d' ' -f1-3 /proc/loadavg)" '
		def median: sort | .[((length - 1) / 2 | floor)];
		def digits($n): . * $n | round / $n;
		[inputs | split(" ") | {accounts: (.[0] | tonumber), function: .[1], source: .[2], round: .[3],
			us: (.[4] | tonumber / 1000)}]
		| (map(select(.source == "gltoken") | {key: "\(.accounts) \(.function) \(.round)", value: .us}) | from_entries)
			as $ours
		| map(. + {ratio: (.us / $ours["\(.accounts) \(.function) \(.round)"])})
		| {cpus: $cpus, load_average: $load, target: "at 100000 accounts no other is faster, under 10 us",
			results: (group_by([.accounts, .function, .source]) | map({accounts: .[0].accounts, function: .[0].function,
				source: .[0].source, n: length, median_us: (map(.us) | median | digits(100)),
				ratio_to_gltoken: (map(.ratio) | median | digits(100))}))}
	' <"$T/figures" >"$T/result.json"
	if [ -n "$json" ]; then cp "$T/result.json" "$json"; fi
	jq -r '(["accounts", "function", "source", "median us", "to gltoken"]), (.results | sort_by(.accounts, .function,
		.median_us)[] | [.accounts, .function, .source, .median_us, .ratio_to_gltoken]) | @tsv' "$T/result.json" |
		column -t -s "$(printf '\t')"
}

prepare
leave_overlay
measure_all
report
