#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# git-credential-gltoken: real git over real HTTPS, a token for each part of a host, and tokens that renew themselves.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
# shellcheck source=tests/lib/web.sh
. "$E2E_LIB/web.sh"

setup() {
	e2e_host
	gltoken repo create demo/super --no-protect
	web_start nginx
	install -d -o dev -g dev -m 700 /home/dev/.config /home/dev/.config/gltoken /home/dev/.ssh
	git_ config --global credential.helper gltoken
	git_ config --global credential.useHttpPath true
	git_ config --global http.sslCAInfo "$WEB_DIR/cert.pem"
	git_ config --global protocol.version 2
}

# A section for what is below PATH, with the token in a file of its own; further lines of the section from stdin.
section() { # PATH TOKEN
	local file=/home/dev/.config/gltoken/${1//\//-}
	rm -f "$file".*
	install -m 600 -o dev -g dev /dev/null "$file"
	printf '%s\n' "$2" >"$file"
	{
		printf '[gltoken "%s/%s"]\n\ttokenFile = %s\n' "$(web_url)" "$1" "$file"
		cat
	} >>"$T/credentials"
	install -m 600 -o dev -g dev "$T/credentials" /home/dev/.config/gltoken/credentials
}

fetch() { # PROJECT
	git_ ls-remote "$(web_url)/$1.git"
}

test_superproject_with_three_tokens() {
	local group other vault p
	new_token --group demo --role developer --scope write_repository
	group=$ID
	section demo "$TOKEN" </dev/null
	new_token --project demo/other --role reporter --scope read_repository
	other=$ID
	section demo/other "$TOKEN" </dev/null
	new_token --user erin --scope read_repository
	vault=$ID
	section secret "$TOKEN" </dev/null

	git_ init -q "$T/super"
	for p in demo/hello demo/other secret/vault; do
		ok git_ -C "$T/super" submodule add -q "$(web_url)/$p.git" "${p#*/}"
	done
	ok git_ -C "$T/super" commit -qm modules
	ok git_ -C "$T/super" push -q "$(web_url)/demo/super.git" HEAD:main
	server_git demo/super symbolic-ref HEAD refs/heads/main
	LOG_FROM=$(stat -c %s "$SSHD_DIR/syslog")
	ok git_ clone -q --recurse-submodules -j3 "$(web_url)/demo/super.git" "$T/clone"
	[ "$(cat "$T"/clone/{hello,other,vault}/README)" = "$(printf 'hello\nhello\nhello')" ] || fail "not all is there"
	logged "event=git decision=allow .*operation=pull repository=demo/super token=$group "
	logged "event=git decision=allow .*operation=pull repository=demo/hello token=$group "
	logged "event=git decision=allow .*operation=pull repository=demo/other token=$other "
	logged "event=git decision=allow .*operation=pull repository=secret/vault token=$vault "
	# The token of the longer path, and no other one where that is not enough.
	commit "$T/clone/other"
	no git_ -C "$T/clone/other" push -q origin HEAD:x
	logged "reason=scope_missing .*repository=demo/other token=$other "
}

test_refused_token() {
	new_token --user alice --scope read_repository
	section demo "$TOKEN" </dev/null
	ok fetch demo/hello
	ok gltoken revoke "$ID"
	no fetch demo/hello
	says "refused the token in /home/dev/.config/gltoken/demo; it is left there"
	[ "$(log_since | grep -c "reason=revoked .*token=$ID ")" = 1 ] || fail "it should cost one attempt: $(log_since)"
	chmod 644 /home/dev/.config/gltoken/demo
	no fetch demo/hello
	says 'told us to quit'
}

by_ssh() { # [LINE]...: the section's part for renewal
	printf '\t%s\n' 'ssh = git@host' "$@"
}

# $FILE: the token's file
renewing() { # LIFETIME [LINE]...
	local life=$1
	shift
	new_token --user alice --scope read_repository,self_rotate --expires "$life"
	FILE=/home/dev/.config/gltoken/demo-hello
	client password none
	install -m 600 -o dev -g dev "$T/ssh_config" /home/dev/.ssh/config
	by_ssh "$@" | section demo/hello "$TOKEN"
}

test_expiry_is_learnt() {
	renewing 30d
	ok fetch demo/hello
	[ "$(cat "$FILE.expires")" = "${TOKEN%??????????????} $(gltoken show "$ID" --json | jq -r .expires_at)" ] ||
		fail "$(cat "$FILE.expires")"
	hides warning
	LOG_FROM=$(stat -c %s "$SSHD_DIR/syslog")
	ok fetch demo/hello
	quiet service=sshd
	INPUT=$(printf 'protocol=https\nhost=%s\npath=git/demo/hello.git\n' "127.0.0.1:$(cat "$WEB_DIR/port")") \
		ok git_ credential-gltoken get
	says "^password_expiry_utc=$(date -d "$(gltoken show "$ID" --json | jq -r .expires_at)" +%s)$"
	renewing 5d
	ok fetch demo/hello
	says "warning: the token for $(web_url)/demo/hello \($FILE\) expires in [45] days"
}

test_rotates_by_itself() {
	local next
	renewing 5d 'rotate = 6d' 'overlap = 1h'
	ok fetch demo/hello
	next=$(gltoken show "$ID" --json | jq -r .next)
	[ "$(gltoken identify --json <"$FILE" | jq -r '.[].id')" = "$next" ] || fail "it is not the new token: $(outcome)"
	[ "$(stat -c '%a %U' "$FILE")" = '600 dev' ] || fail "$(stat "$FILE")"
	[ ! -e "$FILE.new" ] || fail 'something is left over'
	logged "operation=rotate target=self token=$next "
	logged "event=git decision=allow .*service=http"
	# The new one lives as long: only when it is near its end again, there is a third.
	rm "$FILE.lock"
	ok sed -i 's/rotate = 6d/rotate = 3d/' /home/dev/.config/gltoken/credentials
	ok fetch demo/hello
	[ "$(gltoken identify --json <"$FILE" | jq -r '.[].id')" = "$next" ] || fail 'a third one'
}

test_two_at_once_rotate_once() {
	renewing 5d 'rotate = 6d'
	local i before
	before=$(gltoken list --state all --json | jq length)
	for i in 1 2 3; do fetch demo/hello >"$T/out.$i" 2>&1 & done
	wait
	for i in 1 2 3; do grep -q refs/heads/main "$T/out.$i" || fail "$(cat "$T/out.$i")"; done
	[ "$(gltoken list --state all --json | jq length)" = $((before + 1)) ] || fail 'not one new token'
}

test_answer_that_is_lost() {
	local lost
	renewing 5d 'rotate = 6d'
	mkdir "$T/bin"
	printf '#!/bin/sh\n/usr/bin/ssh "$@" >/dev/null\nexit 255\n' >"$T/bin/ssh"
	chmod -R a+rx "$T/bin"
	printf '%s %s\n' "${TOKEN%??????????????}" "$(gltoken show "$ID" --json | jq -r .expires_at)" >"$FILE.expires"
	chmod 644 "$FILE.expires"
	PATH=$T/bin:$PATH ok fetch demo/hello
	says "the token of $FILE could not be rotated"
	[ "$(cat "$FILE")" = "$TOKEN" ] || fail 'the file was changed'
	lost=$(gltoken show "$ID" --json | jq -r .next)
	[ "$lost" != null ] || fail 'it was never rotated'
	# Not again and again, where a host does not answer.
	LOG_FROM=$(stat -c %s "$SSHD_DIR/syslog")
	ok fetch demo/hello
	quiet service=sshd
	rm "$FILE.lock"
	ok fetch demo/hello
	[ "$(cat "$FILE")" != "$TOKEN" ] || fail "it is still the old one: $(outcome)"
	[ "$(gltoken show "$lost" --json | jq -r .revoked)" = true ] || fail 'the lost one lives'
	ok fetch demo/hello
}

# What cannot be written must not be asked for.
test_no_place_for_the_new_one() {
	renewing 5d 'rotate = 6d'
	install -d -o root -g root -m 755 "$FILE.new"
	ok fetch demo/hello
	says "$FILE.new: "
	[ "$(gltoken show "$ID" --json | jq -r .next)" = null ] || fail 'it was rotated all the same'
	rmdir "$FILE.new"
}

test_token_that_may_not_rotate() {
	renewing 5d 'rotate = 6d'
	new_token --user alice --scope read_repository --expires 5d
	printf '%s\n' "$TOKEN" >"$FILE"
	ok fetch demo/hello
	says 'scope self_rotate or api is needed'
	says "could not be rotated by ssh git@host"
}

e2e_main "$@"
