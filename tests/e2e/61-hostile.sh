#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Whatever a caller of gltoken-auth sets up before, it gets the answer that it would have got; and no secret stays in
# memory behind a login.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

HELPER=/usr/libexec/gltoken/gltoken-auth

setup() {
	e2e_host
	useradd -m -s /bin/bash -G gltoken mallory
	cc -std=c11 -D_GNU_SOURCE -Wall -Wl,-z,now -o "$E2E_DIR/pam-login" "$E2E_LIB/pam-login.c" -lpam
}

# Mallory asks with a good token, from what SCRIPT sets up: it is in $HELPER, and the request in $REQUEST.
mallory() { # SCRIPT
	run setpriv --reuid mallory --regid mallory --init-groups env HELPER="$HELPER" REQUEST="$T/request" bash -c "$1"
}

good_request() {
	new_token --user alice --scope write_repository
	printf '%s\n' verb=verify "secret=$TOKEN" account=git service=sshd '' >"$T/request"
	chmod 644 "$T/request"
}

allowed() {
	grep -qx verdict=allow "$T/out" || fail "should be allowed: $(outcome)"
}

test_limits_do_not_change_the_answer() {
	local limit more=('-n 4' '-d 100')
	good_request
	# In some containers not even root may raise a hard limit; then these two end in a denial.
	(ulimit -Hf 0 && ulimit -Hf unlimited) 2>/dev/null || more=()
	for limit in '-f 0' '-c unlimited' '-l 0' '-t 1' '-u 1' '-i 0' '-q 0' '-e 0' '-r 0' '-x 0' ${more[@]+"${more[@]}"}; do
		# shellcheck disable=SC2016 # for the inner shell
		mallory "(ulimit $limit || exit; "'exec $HELPER <$REQUEST) | cat'
		allowed
	done
	# A reply that cannot be written, and a use that cannot be taken: an error, not a signal.
	new_token --user alice --scope write_repository --max-uses 3
	sed -i "s/^secret=.*/secret=$TOKEN/" "$T/request"
	# shellcheck disable=SC2016 # for the inner shell
	mallory 'ulimit -f 0; exec $HELPER <$REQUEST'
	[ "$RC" -lt 126 ] || fail "it was killed: $(outcome)"
	ok gltoken check
}

test_environment_does_not_change_the_answer() {
	local env
	good_request
	for env in GLIBC_TUNABLES=glibc.malloc.mxfast=glibc.malloc.mxfast=AAAAAAAA LD_AUDIT=/tmp/x.so LD_DEBUG=all \
		LD_PRELOAD=/tmp/x.so LC_ALL=../../../../tmp LANG=tr_TR.UTF-8 LANGUAGE=/tmp NLSPATH=/tmp/%N \
		TZ=/etc/shadow TZDIR=/tmp MALLOC_PERTURB_=255 HOSTALIASES=/etc/shadow RES_OPTIONS=debug GETCONF_DIR=/tmp \
		"HOME=$(head -c 100000 /dev/zero | tr '\0' a)"; do
		# shellcheck disable=SC2016 # for the inner shell
		mallory "exec env '$env' "'$HELPER <$REQUEST'
		allowed
		[ ! -s "$T/err" ] || fail "it talks: $(outcome)"
	done
}

test_signals_do_not_change_the_answer() {
	local from=$SECONDS
	good_request
	# shellcheck disable=SC2016 # for perl
	mallory 'exec perl -MPOSIX -e "for (1 .. 64) { \$SIG{(split q( ), \$Config::Config{sig_name} // q())[\$_] // q(ALRM)} = q(IGNORE) }
		sigprocmask(SIG_BLOCK, POSIX::SigSet->new(1 .. 31)); alarm 1; exec @ARGV" $HELPER <$REQUEST'
	allowed
	# A caller that says nothing and blocks the alarm: it comes all the same.
	mkfifo "$T/silence"
	exec 7<>"$T/silence"
	chmod 644 "$T/silence"
	# shellcheck disable=SC2016 # for perl
	mallory 'exec perl -MPOSIX -e "\$SIG{ALRM} = q(IGNORE); sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGALRM)); exec @ARGV" \
		$HELPER <'"$T/silence"
	[ $((SECONDS - from)) -lt 20 ] || fail "it waited for $((SECONDS - from)) s"
	exec 7>&-
	hides 'verdict=allow'
}

# Half, slow, endless and binary requests, and an answer that nobody reads.
test_requests_that_do_not_come() {
	good_request
	local from=$SECONDS
	# shellcheck disable=SC2016 # for the inner shell
	{
		mallory 'for i in {1..16}; do printf v; sleep 0.5; done | $HELPER'
		hides 'verdict=allow'
		mallory '(head -c 60 $REQUEST; sleep 8) | timeout 25 $HELPER'
		hides 'verdict=allow'
		mallory 'cat /dev/zero | $HELPER'
		hides 'verdict=allow'
		mallory 'head -c 8000 /dev/urandom | $HELPER'
		hides 'verdict=allow'
		mallory 'head -c 60 $REQUEST | $HELPER'
		hides 'verdict=allow'
		mallory '$HELPER <$REQUEST >/dev/full'
		mallory 'exec $HELPER </ >/dev/null'
		mallory 'exec $HELPER <$REQUEST >&0'
		mallory 'exec $HELPER </dev/null >/dev/null 2>&1'
	}
	[ $((SECONDS - from)) -lt 60 ] || fail "it took $((SECONDS - from)) s"
	ok gltoken check
}

test_what_is_left_after_the_drop() {
	mkfifo -m 666 "$T/pipe"
	setpriv --reuid mallory --regid mallory --init-groups env bash -c "ulimit -c unlimited
		exec 5</etc/passwd 9>/tmp/left-open 200</etc/group; exec $HELPER <$T/pipe" >/dev/null 2>&1 &
	exec 7>"$T/pipe"
	local pid
	await pgrep -n -x -u gltoken gltoken-auth
	pid=$(pgrep -n -x -u gltoken gltoken-auth)
	# The last thing that it does before it waits.
	await grep -Eq '^NoNewPrivs:\s1$' "/proc/$pid/status"
	grep -Eq '^Groups:\s*$' "/proc/$pid/status" || fail "groups are left: $(grep Groups "/proc/$pid/status")"
	! grep -E '^Cap(Inh|Prm|Eff|Amb):' "/proc/$pid/status" | grep -v 0000000000000000 || fail "capabilities are left"
	grep -Eq '^Max core file size +0 +0 ' "/proc/$pid/limits" || fail "it may dump core"
	[ "$(stat -c %U "/proc/$pid/mem")" = root ] || fail "it is dumpable"
	[ "$(sed -nE 's/^VmLck:\s+([0-9]+) kB$/\1/p' "/proc/$pid/status")" -ge 16 ] || fail "its secrets may go to swap space"
	[ "$(find "/proc/$pid/fd" -mindepth 1 | wc -l)" = 3 ] || fail "open: $(ls -l "/proc/$pid/fd")"
	[ "$(readlink "/proc/$pid/cwd")" = / ] || fail "it stays in the caller's folder"
	kill -SEGV "$pid"
	sleep 0.2
	if compgen -G '/core*' || compgen -G '/home/mallory/core*'; then fail "a core was dumped"; fi
	exec 7>&-
}

# A thousand at once, and a login of root's beside them.
test_a_thousand_at_once() {
	local from=$SECONDS
	good_request
	setpriv --reuid mallory --regid mallory --init-groups env bash -c "for i in {1..1000}; do
		sed 's/^secret=.*/secret=glpat-abcdefghijklmnopqrst/' $T/request | $HELPER >/dev/null 2>&1 & done; wait" &
	local all=$!
	client password "$TOKEN"
	LIMIT=60 ok ssh_ git@host
	says alice
	wait "$all"
	[ $((SECONDS - from)) -lt 90 ] || fail "it took $((SECONDS - from)) s"
	ok gltoken check
}

has() { # TEXT PID...
	perl "$E2E_LIB/memory-has.pl" "$@"
}

# The secret, and what the store has of it. Several times: where the stack begins decides what writes over what.
test_cve_2024_10041_no_secret_stays_in_memory() {
	local round
	new_token --user alice --scope write_repository
	for round in {1..8}; do holds_no_secret "$round"; done
}
holds_no_secret() { # ROUND
	local pid secret=${TOKEN: -9} # the first bytes of what is freed are written over at once
	mkfifo "$T/in.$1"
	"$E2E_DIR/pam-login" sshd-git git hold <"$T/in.$1" >"$T/said.$1" &
	pid=$!
	printf '%s\n' "$TOKEN" >"$T/in.$1"
	await grep -qx in "$T/said.$1"
	has sshd-git "$pid" || fail "nothing is found at all"
	has GLTOKEN_SESSION "$pid" || fail "no session was set"
	rc 1 has "$secret" "$pid"
	# Neither is any hash of it: what Argon2 made stands behind the salt in the record.
	rc 1 has argon2 "$pid"
	kill "$pid"
	wait "$pid" || true
}

test_no_secret_stays_in_sshd_and_git() {
	local method secret
	for method in password keyboard-interactive; do
		new_token --user alice --scope write_repository
		secret=${TOKEN: -9} # the first bytes of what is freed are written over at once
		client "$method" "$TOKEN"
		# A session that waits for what the client wants.
		mkfifo -m 666 "$T/wants.$method"
		as_dev ssh -F "$T/ssh_config" git@host "git-upload-pack 'demo/hello.git'" <"$T/wants.$method" >"$T/refs" 2>&1 &
		local session=$!
		exec 7>"$T/wants.$method"
		await grep -qa refs/heads/main "$T/refs"
		# The listener, what serves the session, and git; the client is another machine's.
		mapfile -t pids < <(pgrep -f 'sshd|git-upload-pack|git upload-pack|upload-pack|gltoken-shell' | grep -vx $$ || true)
		local p servers=()
		for p in "${pids[@]}"; do
			case $(tr '\0' ' ' <"/proc/$p/cmdline" 2>/dev/null) in
			ssh\ * | timeout* | *bash* | '') ;;
			*) servers+=("$p") ;;
			esac
		done
		[ ${#servers[@]} -ge 3 ] || fail "only ${servers[*]} found: $(ps -ef)"
		rc 1 has "$secret" "${servers[@]}"
		exec 7>&-
		wait "$session" || true
	done
}

# As it ends, the helper has wiped what it was told.
test_no_secret_stays_in_the_helper() {
	local secret
	good_request
	secret=${TOKEN: -9} # the first bytes of what is freed are written over at once
	gdb -batch -nx -ex 'set disable-randomization on' -ex 'catch syscall exit_group' -ex "run <$T/request >$T/reply" \
		-ex "generate-core-file $T/core" "$HELPER" >"$T/gdb" 2>&1 || true
	[ -s "$T/core" ] || fail "no core: $(cat "$T/gdb")"
	grep -qx verdict=allow "$T/reply" || fail "not allowed: $(cat "$T/reply" "$T/gdb")"
	grep -qa 'gltoken-auth' "$T/core" || fail "nothing is found at all"
	! grep -qaF "$secret" "$T/core" || fail "the secret stays in the helper"
}

e2e_main "$@"
