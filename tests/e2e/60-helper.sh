#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Local users against gltoken-auth: whoever may not run it, and whoever may, holds up nobody and gains nothing.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

HELPER=/usr/libexec/gltoken/gltoken-auth

setup() {
	e2e_host
	# mallory may ask, being in the group; nobody may not.
	useradd -m -s /bin/bash -G gltoken mallory
}

# Through env, for setpriv itself still has root's capabilities when it executes something.
as() { # USER COMMAND...
	local user=$1
	shift
	timeout -k 5 "${LIMIT:-60}" setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups env "$@"
}

# What runs beside a test is no check of it.
beside() {
	"$@" >/dev/null 2>&1 || true
}

# A login by root's sshd and a revocation, both within a few seconds.
host_goes_on() {
	local from=$SECONDS
	new_token --user alice --scope write_repository
	client password "$TOKEN"
	LIMIT=20 ok ssh_ git@host
	says alice
	LIMIT=20 ok gltoken revoke "$ID"
	LIMIT=20 no ssh_ git@host
	[ $((SECONDS - from)) -lt 15 ] || fail "it took $((SECONDS - from)) s"
}

# A helper that waits for a request which does not come.
hold() { # USER
	mkfifo -m 666 "$T/pipe" 2>/dev/null || true
	beside as "$1" sh -c "exec $HELPER <$T/pipe" &
	exec 7>"$T/pipe"
	for _ in {1..100}; do
		HELD=$(pgrep -n -f "^$HELPER" || true)
		if [ -n "$HELD" ] && [ "$(stat -c %U "/proc/$HELD")" = gltoken ]; then return; fi
		sleep 0.05
	done
	fail "the helper does not run as gltoken: $(ps -ef)"
}

test_modes() {
	[ "$(stat -c '%U:%G %a' "$HELPER")" = 'root:gltoken 4750' ] || fail "mode of the helper: $(stat -c '%U:%G %a' "$HELPER")"
	[ "$(stat -c '%U:%G %a' /var/lib/gltoken/store)" = 'gltoken:gltoken 700' ] || fail "mode of the store"
	find /var/lib/gltoken/store -type f | while read -r f; do
		[ "$(stat -c '%U:%G %a' "$f")" = 'gltoken:gltoken 600' ] || fail "mode of $f: $(stat -c '%U:%G %a' "$f")"
	done
}

test_nobody_cannot_ask() {
	run as nobody "$HELPER"
	[ "$RC" = 126 ] || fail "nobody started the helper: $(outcome)"
	no as nobody ls /var/lib/gltoken/store
	no as nobody gltoken list
	no as mallory gltoken list
	no as mallory ls /var/lib/gltoken/store
}

# As user, to a helper that lives: one that waits in vain has its own end meanwhile.
touch_it() { # USER COMMAND WITH PID
	for _ in {1..5}; do
		if [ -d "/proc/$HELD" ]; then
			run as "$1" sh -c "${2//PID/$HELD}"
			if [ -d "/proc/$HELD" ]; then return; fi
		fi
		hold git
	done
	fail "it ends by itself: $(outcome)"
}

test_a_running_helper_cannot_be_touched() {
	local user what
	hold git
	for user in nobody mallory git; do
		for what in "kill -STOP PID" "kill -TSTP PID" "kill -CONT PID" "timeout 5 strace -p PID" \
			"prlimit --pid PID --cpu=1" "prlimit --pid PID --fsize=0" "renice -n 19 -p PID" "ionice -c 3 -p PID" \
			"cat /proc/PID/mem" "cat /proc/PID/environ" "ls /proc/PID/fd/" "taskset -p 1 PID"; do
			touch_it "$user" "$what"
			[ "$RC" != 0 ] || fail "$user did it: $(outcome)"
			says 'not permitted|denied'
		done
		hold git
		run as "$user" sh -c "kill -KILL $HELD"
		says 'not permitted'
	done
	hold git
	[ "$(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$HELD/status")" = S ] || fail "the helper does not wait any more"
	# Real, effective, saved and file system id: no root and no caller in them.
	[ "$(awk '/^[UG]id:/ { print $2, $3, $4, $5 }' "/proc/$HELD/status" | tr ' ' '\n' | sort -u)" = \
		"$(printf '%s\n' "$(id -u gltoken)" "$(id -g gltoken)" | sort -u)" ] ||
		fail "another id is left: $(cat "/proc/$HELD/status")"
	host_goes_on
	exec 7>&-
}

# Freezing it in the moment between start and loss of the caller's uid, again and again.
test_freezing_it_at_its_start() {
	local loop
	beside as mallory bash -c "
		end=\$((SECONDS + 6))
		while [ \$SECONDS -lt \$end ]; do
			printf 'verb=verify\nsecret=glpat-%s\naccount=git\nservice=sshd\n\n' abcdefghijklmnopqrst | $HELPER >/dev/null 2>&1 &
			kill -STOP \$! 2>/dev/null
		done" &
	loop=$!
	sleep 1
	host_goes_on
	host_goes_on
	wait "$loop" || true
	host_goes_on
	# Some were caught before they had become gltoken, some in the call that made them so; none holds anything.  Again
	# until none is left, for what is forked while pkill reads /proc is not killed.
	while pkill -KILL -f "^$HELPER"; do sleep 0.1; done
	ok gltoken check
}

at_least() { # N
	[ "$(pgrep -c -f "^$HELPER")" -ge "$1" ]
}

test_many_that_wait() {
	local i pids=()
	mkfifo -m 666 "$T/many"
	exec 8<>"$T/many"
	for ((i = 0; i < 60; i++)); do
		beside as mallory sh -c "exec $HELPER <$T/many" &
		pids+=($!)
	done
	await at_least 50
	host_goes_on
	# They end by themselves.
	for ((i = 0; i < 260; i++)); do
		pgrep -f "^$HELPER" >/dev/null || break
		sleep 0.1
	done
	[ "$i" -lt 260 ] || fail "helpers never end: $(pgrep -f "^$HELPER" | xargs ps -o pid,ruser,euser,etimes,stat,wchan:20,args -p)"
	wait "${pids[@]}" || true
	exec 8>&-
}

# Hashing is what costs; that slows others down, and no more.
test_many_that_hash() {
	local good conf=/etc/gltoken/gltoken.conf pids=()
	cp "$conf" "$T/conf"
	trap 'cp "$T/conf" /etc/gltoken/gltoken.conf' EXIT
	printf '[cache]\nenabled = no\n' >"$conf"
	new_token --user alice --scope write_repository
	good=$TOKEN
	for _ in {1..10}; do
		beside as mallory bash -c "for i in {1..200}; do
			printf 'verb=verify\nsecret=%s\naccount=git\nservice=sshd\n\n' $good | $HELPER >/dev/null 2>&1
		done" &
		pids+=($!)
	done
	await at_least 1
	host_goes_on
	pkill -KILL -U mallory || true
	wait "${pids[@]}"
}

test_limits_of_the_caller() {
	local limit
	printf '%s\n' verb=verify secret=glpat-abcdefghijklmnopqrst account=git service=sshd '' >"$T/request"
	chmod 644 "$T/request"
	for limit in '-f 0' '-n 3' '-v 4096' '-s 16' '-t 1' '-c 0' '-l 0' '-u 1'; do
		# Whatever comes out of it is no "allow", and leaves the store whole.
		run as mallory bash -c "ulimit $limit; exec $HELPER <$T/request"
		hides 'verdict=allow'
		LIMIT=20 ok gltoken check
	done
	run as mallory bash -c "exec nice -n 19 $HELPER <$T/request"
	says 'verdict=deny'
	host_goes_on
}

test_closed_descriptors() {
	run as mallory bash -c "exec 0<&- 1>&- 2>&-; exec $HELPER"
	run as mallory bash -c "exec 1>&- 2>&-; printf 'verb=verify\naccount=git\n\n' | $HELPER"
	ok gltoken check
	host_goes_on
}

test_environment_and_arguments() {
	local request="verb=verify\nsecret=glpat-abcdefghijklmnopqrst\naccount=git\nservice=sshd\n\n"
	run as mallory bash -c "printf '$request' | GCONV_PATH=/tmp LD_PRELOAD=/tmp/x.so LD_LIBRARY_PATH=/tmp MALLOC_CHECK_=3 \
		TMPDIR=/tmp $HELPER"
	says 'verdict=deny'
	run as mallory bash -c "printf '$request' | $HELPER --help /etc/shadow"
	hides 'root:|verdict=allow'
	run as mallory perl -e "exec { '$HELPER' } ('')"
	hides 'verdict=allow'
}

test_requests_that_break_the_rules() {
	local r good
	new_token --user alice --scope write_repository
	good="secret=$TOKEN"
	for r in '' '\n' 'verb=verify' "verb=verify\n$good\n" "verb=verify\n$good\naccount=git\nservice=sshd" \
		"verb=verify\nverb=verify\n$good\naccount=git\n\n" "verb=nothing\n\n" "verb=verify\n$good\naccount=git\n\nmore\n\n" \
		"verb=verify\n${good}\x01\naccount=git\n\n" "$good\nverdict=allow\n\n" "verb=authorize\nticket=x\noperation=login\n\n" \
		"verb=verify\n$good\naccount=$(head -c 9000 /dev/zero | tr '\0' a)\n\n"; do
		run as git bash -c "printf '$r' | $HELPER"
		hides 'verdict=allow|ticket='
	done
	run bash -c "head -c 100000 /dev/urandom | $HELPER"
	hides 'verdict=allow'
	ok gltoken check
}

# A uid without an account asks as nobody in particular; an argument counts from root alone.
test_who_calls() {
	local group request
	group=$(getent group gltoken | cut -d: -f3)
	new_token --user alice --scope write_repository
	request="printf 'verb=verify\nsecret=$TOKEN\naccount=git\nservice=sshd\n\n' | $HELPER"
	ok setpriv --reuid 4321 --regid "$group" --clear-groups bash -c "$request"
	hides '^ticket='
	rc 2 setpriv --reuid 4321 --regid "$group" --clear-groups "$HELPER" --peer
	rc 2 "$HELPER" --peer # no socket
	rc 2 "$HELPER" --other
	rc 2 "$HELPER" --peer more
	cp /etc/passwd "$T/passwd"
	sed -i '/^gltoken:/d' /etc/passwd
	run bash -c "$request"
	cp "$T/passwd" /etc/passwd
	[ "$RC" = 1 ] || fail "without the account of the store: $(outcome)"
	says '^reason=unavailable$'
	ok bash -c "$request"
	says '^ticket='
}

# Address and service are believed from root alone.
test_address_of_a_caller_is_not_believed() {
	new_token --user alice --scope write_repository --allow-from 192.0.2.0/24
	run as mallory bash -c "printf 'verb=verify\nsecret=$TOKEN\naccount=git\nservice=sshd\nrhost=192.0.2.1\n\n' | $HELPER"
	says 'reason=address_not_allowed'
	run bash -c "printf 'verb=verify\nsecret=$TOKEN\naccount=git\nservice=sshd\nrhost=192.0.2.1\n\n' | $HELPER"
	says 'verdict=allow'
	new_token --user alice --scope write_repository --service imap
	run as mallory bash -c "printf 'verb=verify\nsecret=$TOKEN\naccount=git\nservice=imap\n\n' | $HELPER"
	says 'reason=service_not_allowed'
	run bash -c "printf 'verb=verify\nsecret=$TOKEN\naccount=git\nservice=imap\n\n' | $HELPER"
	says 'verdict=allow'
}

test_without_privilege_it_says_why() {
	new_token --user alice --scope write_repository
	run as git bash -c "printf 'verb=authorize\noperation=pull\nrepository=demo/hello\nticket=x\n\n' |
		setpriv --no-new-privs $HELPER"
	hides 'verdict=allow'
	says 'no_privilege|NoNewPrivileges'
	chmod u-s "$HELPER"
	INPUT=0000 run as git env GLTOKEN_SESSION=v1.x gltoken-shell -c "git-upload-pack 'demo/hello'"
	[ "$RC" != 0 ] || fail "served without an answer"
	chmod 4750 "$HELPER"
	logged 'NoNewPrivileges or nosuid'
}

test_no_helper_no_login() {
	new_token --user alice --scope write_repository
	client password "$TOKEN"
	mv "$HELPER" "$HELPER.away"
	no ssh_ git@host
	printf '#!/bin/sh\nexit 0\n' >"$HELPER"
	chmod 755 "$HELPER"
	no ssh_ git@host
	printf '#!/bin/sh\nkill -SEGV $$\n' >"$HELPER"
	no ssh_ git@host
	printf '#!/bin/sh\necho verdict=allo\n' >"$HELPER"
	no ssh_ git@host
	printf '#!/bin/sh\necho verdict=allow; echo more=1\n' >"$HELPER"
	no ssh_ git@host
	mv "$HELPER.away" "$HELPER"
	quiet 'reason=(wrong_secret|unknown_token)'
	logged 'decision=deny'
	ok ssh_ git@host
}

e2e_main "$@"
