#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gltoken-auth and gltoken(1) in valgrind: no byte is read that was not written, none is lost. The shell, the hook and
# the CGI open repositories with openat2, which valgrind 3.19 does not know.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

VALGRIND=(valgrind -q --vgdb=no --error-exitcode=99 --leak-check=full --show-leak-kinds=definite
	--errors-for-leak-kinds=definite)

# An emulator is slow.
E2E_LIMIT=600

setup() {
	# A program that is setuid cannot be run in it, and need not be: the socket's is root's.
	E2E_SOCKET=yes E2E_UNDER="${VALGRIND[*]} --log-file=$E2E_DIR/valgrind.log" e2e_host
}

clean() {
	[ -e "$E2E_DIR/valgrind.log" ] || fail "the helper does not run in valgrind"
	[ ! -s "$E2E_DIR/valgrind.log" ] || fail "valgrind: $(tail -n 60 "$E2E_DIR/valgrind.log")"
}

test_login_and_push() {
	new_token --user alice --scope write_repository --allow-from 127.0.0.0/8 --only-repo 'demo/*' --max-uses 9
	client password "$TOKEN"
	work_tree "$T/w"
	ok git_ -C "$T/w" push -q origin main
	no git_ ls-remote git@host:secret/vault.git
	KEY=$(new_key)
	INPUT=$(cat "$KEY.pub") ok gltoken key add alice
	client publickey "$KEY"
	ok git_ ls-remote git@host:demo/hello.git
	clean
}

test_tokens() {
	new_token --user alice --scope api,self_rotate
	client password "$TOKEN"
	ok ssh_ git@host personal_access_token one read_repository 5
	ok ssh_ git@host tokens list
	ok ssh_ git@host tokens show self
	ok ssh_ git@host tokens rotate self --overlap 1h
	ok ssh_ git@host tokens revoke self
	no ssh_ git@host tokens list
	clean
}

test_refusals() {
	local state
	for state in --pause --resume; do
		new_token --user bob --scope read_repository
		ok gltoken edit "$ID" $state
		client password "$TOKEN"
		run ssh_ git@host
	done
	client password "${TOKEN%????}AAAA"
	no ssh_ git@host
	client password glpat-AAAAAAAAAAAAAAAAAAAA
	no ssh_ git@host
	for state in '' '\n' 'verb=verify\n\n' 'verb=nothing\n\n' 'verb=verify\nverb=verify\n\n' 'verb=authorize\nticket=x\n\n' \
		'verb=change\nticket=v1.t.1.git.sshd.local.1.0\naction=list\n\n' "$(head -c 9000 /dev/zero | tr '\0' a)"; do
		run bash -c "printf '$state' | timeout 20 socat - UNIX-CONNECT:/run/gltoken-auth.sock"
		hides 'verdict=allow'
	done
	clean
}

# Each in a process of its own, as they run.
test_commands() {
	local args id
	run "${VALGRIND[@]}" gltoken issue --user alice --scope api --name in-valgrind --json
	[ "$RC" = 0 ] || fail "$(outcome)"
	id=$(jq .id "$T/out")
	for args in "show $id" 'list --json' "scope $id --add read_api" "expire $id --at +5d" "rotate $id --overlap 1h" \
		"explain --id $id --op pull --repo demo/hello --json" 'audit verify' check "backup $T/backup" export \
		"revoke $id --reason done"; do
		# shellcheck disable=SC2086 # words
		ok "${VALGRIND[@]}" gltoken $args
	done
}

e2e_main "$@"
