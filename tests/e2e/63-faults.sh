#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each system call fails in turn, in gltoken-auth and in the CLI, publish too: a clean denial or a clean error, no yes that would
# not have been one, no hang, and a store that is whole. E2E_LONG=yes tries each error at each call.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

HELPER=/usr/libexec/gltoken/gltoken-auth
ERRORS=(ENOSPC EIO EROFS EMFILE ENOMEM)
E2E_LIMIT=1800

setup() {
	e2e_host
	gltoken user add stays
}

# The calls of a program once it has become gltoken, NAME COUNT a line: the COUNT-th of its name. Those that cannot
# fail, or whose failure is tested elsewhere (privdrop) or ends the process (libsodium without randomness), are left out.
calls() { # COMMAND...
	strace -f -o "$T/whole" "$@" >"$T/whole.out" 2>&1 || true
	sed -nE 's/^[0-9]+ +([a-z0-9_]+)\(.*/\1/p' "$T/whole" | awk '
		{ n[$1]++ }
		became && $1 !~ /^(exit_group|set(res)?[ug]id|setgroups|get(p|eu|u|resu|resg)id|alarm|munmap|brk|rt_sig.*|prctl|getrandom)$/ {
			print $1, n[$1]
		}
		$1 == "setresuid" { became = 1 }' >"$T/calls"
	[ "$(wc -l <"$T/calls")" -ge 20 ] || fail "nothing was traced: $(cat "$T/whole.out")"
}

# Run what prepare leaves in CMD with each call failing, one of STEP faults, and look at what became of it.
each() { # STEP AFTER
	local step=$1 after=$2 name count error n=0
	while read -r name count <&9; do
		for error in "${ERRORS[@]}"; do
			n=$((n + 1))
			# Not a multiple of 5, so that each call sees another error.
			if [ "${E2E_LONG-}" != yes ] && [ $((n % step)) != 0 ]; then continue; fi
			prepare
			RC=0
			timeout -k 2 25 strace -f -o "$T/trace" -e inject="$name:error=$error:when=$count" "${CMD[@]}" <"$T/in" >"$T/out" 2>"$T/err" || RC=$?
			LAST="$error at $name $count: ${CMD[*]}"
			[ "$RC" -lt 124 ] || fail "it hangs or crashes: $(outcome)"
			"$after"
		done
	done 9<"$T/calls"
	echo "$n faults"
	ok gltoken check
	ok gltoken audit verify
}

uses_left() {
	gltoken show "$ID" --json | jq .uses_left
}

prepare_login() {
	new_token --user alice --scope write_repository --max-uses 2
	printf '%s\n' verb=verify "secret=$TOKEN" "account=$ACCOUNT" service=sshd rhost=192.0.2.1 '' >"$T/in"
	CMD=("$HELPER")
}

after_login() {
	local left
	left=$(uses_left)
	if grep -qx verdict=allow "$T/out"; then
		[ "$left" = 1 ] || fail "in, and $left uses left: $(outcome)"
	elif [ "$left" != 2 ]; then
		# It was taken, and the answer could not be given.
		[ "$left" = 1 ] || fail "$left uses left: $(outcome)"
	fi
}

test_login() {
	ACCOUNT=git
	prepare() { prepare_login; }
	prepare
	calls "$HELPER" <"$T/in"
	each 13 after_login
}

after_refusal() {
	hides 'verdict=allow|ticket='
	[ "$(uses_left)" = 2 ] || fail "a use was taken: $(outcome)"
}

# No failure makes a yes of a no.
test_refused_login() {
	ACCOUNT=bob
	prepare() { prepare_login; }
	prepare
	calls "$HELPER" <"$T/in"
	each 13 after_refusal
}

after_issue() {
	local state
	state=$(gltoken list --state all --json | jq -r ".[] | select(.name == \"$NAME\") | .state")
	if [ "$RC" = 0 ]; then
		if [ "$state" != active ] || ! grep -q '^glpat-' "$T/out"; then fail "no token '$state': $(outcome)"; fi
		return
	fi
	[ -s "$T/err" ] || grep -q '"write" *\|write(2' "$T/trace" || fail "no message: $(outcome)"
	case $state in
	'' | revoked) ;;
	active) says 'could not be printed|cannot write the output' ;; # the second: it stands there, and its end failed
	*) fail "failed, and the token is $state: $(outcome)" ;;
	esac
}

test_issue() {
	NAME=first
	: >"$T/in"
	calls gltoken issue --name first --user alice --scope api
	prepare() {
		NAME=issue-$RANDOM-$RANDOM
		CMD=(gltoken issue --name "$NAME" --user alice --scope api)
	}
	each 13 after_issue
}

after_revoke() {
	local state
	state=$(gltoken show "$ID" --json | jq -r .state)
	if [ "$RC" = 0 ]; then
		[ "$state" = revoked ] || fail "not revoked: $(outcome)"
	else
		[ -s "$T/err" ] || grep -q 'write(2' "$T/trace" || fail "no message: $(outcome)"
	fi
}

test_revoke() {
	: >"$T/in"
	new_token --user alice --scope api
	calls gltoken revoke "$ID"
	prepare() {
		new_token --user alice --scope api
		CMD=(gltoken revoke "$ID")
	}
	each 13 after_revoke
}

# A success is the change; after a failure, there is what was there before, or the change as a whole.
after_change() {
	local is
	is=$(state)
	case $RC:$is in
	"0:$WANTED" | [1-9]*:"$WANTED" | [1-9]*:"$BEFORE") ;;
	*) fail "'$is', where it was '$BEFORE' and should be '$WANTED' (exit $RC): $(outcome)" ;;
	esac
	[ "$RC" = 0 ] || [ -s "$T/err" ] || grep -q 'write(2' "$T/trace" || fail "no message: $(outcome)"
}

test_member() {
	state() { gltoken member list demo --json | jq -r '.[] | select(.principal == "carol") | .role'; }
	BEFORE=reporter WANTED=maintainer
	prepare() {
		ok gltoken member set demo carol reporter
		CMD=(gltoken member set demo carol maintainer)
	}
	: >"$T/in"
	prepare
	calls "${CMD[@]}"
	each 13 after_change
}

# Where the new one is in force and could not be printed, it says so.
test_rotate() {
	state() { gltoken list --state all --json | jq -r "[.[] | select(.family == $ID) | .state] | join(\" \")"; }
	prepare() {
		new_token --user alice --scope api
		CMD=(gltoken rotate "$ID")
	}
	: >"$T/in"
	prepare
	BEFORE=$(state)
	calls "${CMD[@]}"
	WANTED=$(state)
	[ "$BEFORE" != "$WANTED" ] || fail "it was not rotated: $(cat "$T/whole.out")"
	after_rotate() {
		after_change
		if [ "$RC" != 0 ] && [ "$(state)" = "$WANTED" ]; then says 'could not be printed|cannot write the output'; fi
	}
	each 13 after_rotate
}

test_backup() {
	local store=/var/lib/gltoken/store
	state() {
		if [ ! -e "$T/b" ]; then echo none && return; fi
		mv "$store" "$T/kept"
		if gltoken restore "$T/b" && gltoken check; then echo whole; else echo half; fi >"$T/restored" 2>&1
		rm -rf "$store"
		mv "$T/kept" "$store"
		tail -n 1 "$T/restored"
	}
	BEFORE=none WANTED=whole
	prepare() {
		rm -f "$T/b"
		CMD=(gltoken backup "$T/b")
	}
	: >"$T/in"
	prepare
	calls "${CMD[@]}"
	each 13 after_change
}

# What everybody sees is what was in force, or the new one as a whole; what an attempt left goes with the next.
after_publish() {
	LAST="$LAST ($RC)"
	if [ "$RC" != 0 ] && [ "$RC" != 137 ]; then
		[ -s "$T/err" ] || grep -q 'write(2' "$T/trace" || fail "no message: $(outcome)"
	fi
	getent -s gltoken passwd stays >/dev/null || fail "the snapshot is damaged: $(outcome)"
	[ "$(find "$STATE" -name '*.new' | wc -l)" -le 1 ] || fail "attempts pile up: $(find "$STATE" -name '*.new')"
	if [ "$RC" = 0 ]; then
		getent -s gltoken passwd "$FRESH" >/dev/null || fail "done, and it does not show: $(outcome)"
	else
		ok gltoken publish
		getent -s gltoken passwd "$FRESH" >/dev/null || fail "what the store has is not published: $(outcome)"
	fi
	[ -z "$(find "$STATE" -name '*.new')" ] || fail "left over: $(find "$STATE" -name '*.new')"
}

# An account that the store has and the snapshot does not.
prepare_publish() {
	FRESH=fresh$RANDOM$RANDOM
	mv "$STATE/public/nss.cdb" "$T/kept"
	ok gltoken user add "$FRESH"
	mv "$T/kept" "$STATE/public/nss.cdb"
	CMD=(gltoken publish)
}

test_publish() {
	STATE=/var/lib/gltoken
	: >"$T/in"
	calls gltoken publish
	prepare() { prepare_publish; }
	each 17 after_publish
}

# Run what prepare leaves in CMD, killed at each call of $T/whole that matches NAMES, from the one on that names FILE.
killed_at_each() { # FILE NAMES AFTER
	local file=$1 names=$2 after=$3 name count n=0
	: >"$T/in"
	prepare
	calls "${CMD[@]}"
	# strace counts for each process.
	sed -nE 's/^([0-9]+) +([a-z0-9_]+)(\(.*)/\1 \2 \3/p' "$T/whole" | awk -v file="$file" -v names="^($names)\$" '
		{ n[$1, $2]++ }
		index($0, file) { on = 1 }
		on && $2 ~ names && $2 != "exit_group" { print $2, n[$1, $2] }' | sort -u >"$T/calls"
	[ "$(wc -l <"$T/calls")" -ge 4 ] || fail "nothing was traced: $(cat "$T/whole")"
	while read -r name count <&9; do
		prepare
		RC=0
		timeout -k 2 25 strace -f -o "$T/trace" -e inject="$name:signal=KILL:when=$count" "${CMD[@]}" >"$T/out" 2>"$T/err" || RC=$?
		LAST="killed at $name $count: ${CMD[*]} ($RC)"
		n=$((n + 1))
		"$after"
	done 9<"$T/calls"
	echo "killed at $n calls"
}

test_publish_killed_at_each_call() {
	STATE=/var/lib/gltoken
	prepare() { prepare_publish; }
	killed_at_each nss.cdb.new '.*' after_publish
}

# Between two of these, the store does not change.
WRITES='pwrite64|pwritev|writev|fdatasync|fsync|msync|munmap'

after_import() {
	gltoken export >"$T/is" || fail "$(outcome)"
	case $RC in
	0) cmp -s "$T/is" "$T/all" || fail "done, and not there: $(outcome)" ;;
	*) cmp -s "$T/is" "$T/all" || cmp -s "$T/is" "$T/nothing" || fail "half of it is there: $(outcome); $(cat "$T/is")" ;;
	esac
	ok gltoken check
}

test_import_killed_at_each_write() {
	local i store=/var/lib/gltoken/store
	for ((i = 0; i < 5; i++)); do new_token --user alice --scope api; done
	gltoken export >"$T/all"
	mv "$store" "$T/kept"
	ok gltoken init
	gltoken export >"$T/nothing"
	mv "$store" "$T/empty"
	prepare() {
		rm -rf "$store"
		cp -a "$T/empty" "$store"
		CMD=(gltoken import "$T/all")
	}
	killed_at_each writer.lock "$WRITES" after_import
	rm -rf "$store"
	mv "$T/kept" "$store"
}

blocked() {
	gltoken user list --json | jq '[.[] | select(.username | IN("alice", "bob", "carol")) | select(.state == "blocked")] | length'
}

after_sync() {
	case $RC:$(blocked) in
	0:3 | [1-9]*:[03]) ;;
	*) fail "$(blocked) of 3 are blocked: $(outcome)" ;;
	esac
	ok gltoken check
}

# Whose accounts expire together are blocked together.
test_user_sync_killed_at_each_write() {
	local u
	for u in alice bob carol; do new_token --user "$u" --scope api; done
	prepare() {
		for u in alice bob carol; do
			usermod -e '' "$u"
			ok gltoken user unblock "$u"
			usermod -e 1 "$u"
		done
		CMD=(gltoken user sync)
	}
	for u in alice bob carol; do ok gltoken user block "$u"; done
	killed_at_each writer.lock "$WRITES" after_sync
	for u in alice bob carol; do
		usermod -e '' "$u"
		gltoken user unblock "$u" || true
	done
}

e2e_main "$@"
