#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gltoken setup fails, or is killed, before each change that it makes, in turn; and so is its undoing. Each time the host
# is as it was, byte for byte.
E2E_LIMIT=600
export E2E_LIMIT
here=$(dirname "$0")
# shellcheck source=tests/e2e/93-setup.sh
. "$here/93-setup.sh"

stepping() { # N HOW ARGUMENT OF SETUP...
	rm -f "$T/steps"
	run env BASH_ENV="$E2E_LIB/at-step.sh" STEPS="$T/steps" STEP_AT="$1" STEP_HOW="$2" gltoken setup "${@:3}"
	# What was killed has left its last child to itself.
	await childless
}

childless() {
	! pgrep -r R,S,D -f '^timeout 60 |^gltoken (repo|issue|publish)'
}

count() {
	wc -l <"$T/steps"
}

at_each_step() { # HOW ATLEAST ARGUMENT OF SETUP...
	local n all how=$1 least=$2
	shift 2
	stepping 0 '' "$@"
	[ "$RC" = 0 ] || fail "$(outcome)"
	all=$(count)
	[ "$all" -ge "$least" ] || fail "only $all steps: $(cat "$T/steps")"
	ok gltoken setup --undo
	as_it_was
	for ((n = 1; n <= all; n++)); do
		stepping "$n" "$how" "$@"
		[ "$(count)" -ge "$n" ] || fail "step $n was not reached: $(outcome)"
		echo "step $n: $(tail -n 1 "$T/steps"): $(outcome)"
		[ "$RC" != 0 ] || fail "it went on"
		if [ "$how" = kill ] && [ -e /var/lib/gltoken/setup ]; then ok gltoken setup --undo; fi
		as_it_was
	done
}

own() {
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=git.test -keyout "$T/key.pem" -out "$T/cert.pem" 2>/dev/null
	OWN=(--yes --ssh own --port "$(free_port 22000)" --web nginx --server-name git.test --certificate "$T/cert.pem" --key "$T/key.pem" --nss)
}

test_an_sshd_of_its_own_and_https_fail() {
	local before
	before=$(host)
	own
	at_each_step fail 40 "${OWN[@]}"
}

test_an_sshd_of_its_own_and_https_killed() {
	local before
	before=$(host)
	own
	at_each_step kill 40 "${OWN[@]}"
}

test_the_main_sshd_fails() {
	local before
	before=$(host)
	at_each_step fail 20 --yes --ssh main --pam-sshd
}

test_the_main_sshd_killed() {
	local before
	before=$(host)
	at_each_step kill 20 --yes --ssh main --pam-sshd
}

test_undo_killed() {
	local before n all
	before=$(host)
	own
	ok gltoken setup "${OWN[@]}"
	stepping 0 '' --undo
	all=$(count)
	[ "$all" -ge 8 ] || fail "only $all steps: $(cat "$T/steps")"
	as_it_was
	for ((n = 1; n <= all; n++)); do
		ok gltoken setup "${OWN[@]}"
		stepping "$n" kill --undo
		echo "step $n: $(tail -n 1 "$T/steps"): $(outcome)"
		[ "$RC" != 0 ] || fail "it went on"
		[ ! -e /var/lib/gltoken/setup ] || ok gltoken setup --undo
		as_it_was
	done
}

E2E_TESTS=$here/94-setup-steps.sh
e2e_main "$@"
