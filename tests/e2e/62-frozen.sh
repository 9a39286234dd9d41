#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A gltoken-auth that is frozen, or stopped, in each of its steps: root's logins and revocations go on.
# Nobody but root can stop it, but the owner of a delegated cgroup can freeze it (systemctl --user freeze).
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

HELPER=/usr/libexec/gltoken/gltoken-auth
E2E_LIMIT=600

setup() {
	e2e_host
}

# Where version 2 of cgroups is mounted, and a group of ours in it.
freezer() {
	local at
	for at in /sys/fs/cgroup/unified /sys/fs/cgroup; do
		if [ -e "$at/cgroup.procs" ] && GROUP=$(mktemp -d "$at/gltoken-test.XXXXXX" 2>/dev/null); then
			chmod 755 "$GROUP" # who looks whether it is frozen is uid gltoken
			if [ -e "$GROUP/cgroup.freeze" ]; then return 0; fi
			rmdir "$GROUP"
		fi
	done
	fail "cgroup version 2 with a freezer is needed: mount -t cgroup2 none /sys/fs/cgroup"
}

# In the cgroup, or nothing is left of it.
thaw() {
	echo 0 >"$GROUP/cgroup.freeze" || true
	xargs -r kill -KILL <"$GROUP/cgroup.procs" 2>/dev/null || true
	sleep 0.1
	rmdir "$GROUP" || true
}

request() { # KEY=VALUE...
	printf '%s\n' "$@" service=sshd '' >"$T/request"
}

# What the helper calls from the moment on in which it has become gltoken: NAME COUNT a line, the COUNT-th of its name.
calls_of_helper() {
	ok bash -c "strace -f -o $T/whole $HELPER <$T/request"
	sed -nE 's/^[0-9]+ +([a-z0-9_]+)\(.*/\1/p' "$T/whole" |
		awk '{ n[$1]++; if (became && $1 != "exit_group") print $1, n[$1]; if ($1 == "setresuid") became = 1 }'
}

# Stop it behind that call: STOPPED, or empty where it ends before.
stop_at() { # NAME COUNT
	local until=$((SECONDS + 30))
	: >"$T/trace"
	setsid strace -f -o "$T/trace" -e inject="$1:signal=SIGSTOP:when=$2" "$HELPER" <"$T/request" >/dev/null 2>&1 &
	TRACER=$!
	STOPPED=
	while [ $SECONDS -lt $until ]; do
		STOPPED=$(sed -n 's/^\([0-9]*\) .*stopped by SIGSTOP.*/\1/p' "$T/trace")
		if [ -n "$STOPPED" ]; then return 0; fi
		kill -0 "$TRACER" 2>/dev/null || return 0
		sleep 0.01
	done
	fail "the helper neither stops nor ends: $(tail -n 3 "$T/trace")"
}

gone() {
	kill -KILL "$STOPPED" "$TRACER" 2>/dev/null || true
	wait "$TRACER" 2>/dev/null || true
}

# A login and a revocation by root, each of which may have to wait for 2 s in each of its transactions.
root_goes_on() { # WHERE
	local from=$SECONDS
	printf '%s\n' verb=verify "secret=$GOOD" account=git service=sshd '' >"$T/login"
	ok bash -c "timeout 12 $HELPER <$T/login"
	LIMIT=12 ok gltoken revoke "$VICTIM"
	SLOWEST=$((SECONDS - from > SLOWEST ? SECONDS - from : SLOWEST))
	[ $((SECONDS - from)) -lt 12 ] || fail "$1: it took $((SECONDS - from)) s"
}

# A token that can be used so many times, for a helper that writes.
limited() {
	new_token --user alice --scope write_repository --max-uses 5
	request verb=verify "secret=$TOKEN" account=git
}

each_step() { # STEP
	local name count n=0 steps=0
	SLOWEST=0
	limited
	calls_of_helper >"$T/calls"
	freezer
	trap thaw EXIT
	while read -r name count; do
		n=$((n + 1))
		# Whatever is done with descriptors of the lock file is done each time.
		case $name in
		fcntl | flock | mmap) ;;
		*) [ $((n % $1)) = 0 ] || continue ;;
		esac
		limited
		new_token --user alice --scope write_repository
		VICTIM=$ID
		echo 0 >"$GROUP/cgroup.freeze"
		stop_at "$name" "$count"
		if [ -z "$STOPPED" ]; then continue; fi
		echo "$STOPPED" >"$GROUP/cgroup.procs"
		echo 1 >"$GROUP/cgroup.freeze"
		root_goes_on "frozen behind $name $count"
		gone
		steps=$((steps + 1))
	done <"$T/calls"
	[ "$steps" -ge 12 ] || fail "only $steps steps of $(wc -l <"$T/calls")"
	echo "frozen in $steps steps, root waited for $SLOWEST s at most"
	ok gltoken check
}

test_frozen_in_each_step() {
	new_token --user alice --scope write_repository
	GOOD=$TOKEN
	if [ "${E2E_LONG-}" = yes ]; then each_step 1; else each_step 8; fi
	[ "$SLOWEST" -ge 2 ] || fail "it held no lock in any step: this test proves nothing"
}

# The kernel names a process after the file that it was started by, which may be a link of the caller's.
test_frozen_under_another_name() {
	new_token --user alice --scope write_repository
	GOOD=$TOKEN
	new_token --user alice --scope write_repository
	VICTIM=$ID
	limited
	freezer
	trap thaw EXIT
	ln -s "$HELPER" "$T/mine"
	SLOWEST=0 HELPER=$T/mine
	stop_at pwrite64 2 # the first goes to the cache, this one to the store
	[ -n "$STOPPED" ] || fail "it was not stopped"
	echo "$STOPPED" >"$GROUP/cgroup.procs"
	echo 1 >"$GROUP/cgroup.freeze"
	root_goes_on "frozen under another name"
	[ "$SLOWEST" -ge 2 ] || fail "it held no lock: this test proves nothing"
	gone
	ok gltoken check
}

# Where nothing says that it is frozen, its age does.
test_stopped_with_the_writers_lock() {
	local i
	new_token --user alice --scope write_repository
	GOOD=$TOKEN
	new_token --user alice --scope write_repository
	VICTIM=$ID
	limited
	stop_at pwrite64 2 # the first goes to the cache, this one to the store
	[ -n "$STOPPED" ] || fail "it was not stopped"
	grep -q 'State:.*[Tt]' "/proc/$STOPPED/status" || fail "it is not stopped: $(cat "/proc/$STOPPED/status")"
	LIMIT=20 rc 3 gltoken revoke "$VICTIM"
	says 'another writer has held it'
	printf '%s\n' verb=verify "secret=$GOOD" account=git service=sshd '' >"$T/login"
	ok bash -c "timeout 12 $HELPER <$T/login"
	while [ "$(ps -o etimes= -p "$STOPPED")" -lt 29 ]; do sleep 0.5; done
	LIMIT=15 ok gltoken revoke "$VICTIM"
	for ((i = 0; i < 100; i++)); do
		if [ ! -e "/proc/$STOPPED" ] || grep -q '^State:.*[ZX]' "/proc/$STOPPED/status"; then break; fi
		sleep 0.05
	done
	[ "$i" -lt 100 ] || fail "it lives: $(ps -p "$STOPPED")"
	gone
	ok gltoken check
}

# Others are left alone: younger helpers that wait for their request, and the listener.
test_only_what_is_frozen_is_killed() {
	mkfifo -m 666 "$T/pipe"
	"$HELPER" <"$T/pipe" >/dev/null 2>&1 &
	local waits=$!
	exec 7>"$T/pipe"
	exec 8>/var/lib/gltoken/store/writer.lock
	timeout 30 flock 8
	(sleep 3; exec 8>&-) &
	exec 8>&-
	new_token --user alice --scope write_repository
	exec 7>&-
	local rc=0
	wait "$waits" || rc=$? # on a busy machine its own five seconds may have ended it
	[ "$rc" != 137 ] || fail "a helper that only waited was killed"
}

e2e_main "$@"
