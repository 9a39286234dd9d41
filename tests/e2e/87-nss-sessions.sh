#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Sessions of bots: with one uid for all of them, and with a uid each. Another bot's ticket opens nothing.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

HELPER=/usr/libexec/gltoken/gltoken-auth

setup() {
	sed -i -E 's/^(passwd|group|shadow):.*/& gltoken/' /etc/nsswitch.conf
	e2e_host
}

uids() { # shared | range
	mkdir -p /etc/gltoken
	printf '[nss]\nuids = %s\n[git]\numask = 0007\n' "$1" >/etc/gltoken/gltoken.conf
	gltoken publish >/dev/null
}

# A bot of demo/hello with a fresh ticket: $BOT, $TICKET, $TOKEN, $ID.
session() {
	new_token --project demo/hello --role developer --scope write_repository
	BOT=$(gltoken show "$ID" --json | jq -r .user)
	TICKET=$(printf '%s\n' verb=verify "secret=$TOKEN" "account=$BOT" service=sshd rhost=192.0.2.1 '' |
		timeout 30 $HELPER | sed -n 's/^ticket=//p')
	[ -n "$TICKET" ] || fail "no ticket for $BOT"
}

as_account() { # ACCOUNT COMMAND...
	local account=$1
	shift
	setpriv --reuid "$(id -u "$account")" --regid "$(id -g "$account")" --init-groups "$@"
}

# The Git shell as sshd starts it for ACCOUNT, which says that it is LOGNAME.
shell_with() { # TICKET ACCOUNT [LOGNAME]
	INPUT=0000 run as_account "$2" env -i GLTOKEN_SESSION="$1" ${3:+LOGNAME="$3"} PATH="$PATH" HOME=/ \
		gltoken-shell -c "git-upload-pack demo/hello"
}

opens() {
	shell_with "$@"
	if [ "$RC" != 0 ] || ! grep -aq refs/heads "$T/out"; then fail "should open: $(outcome)"; fi
}

opens_nothing() {
	shell_with "$@"
	[ "$RC" != 0 ] || fail "should open nothing: $(outcome)"
	hides refs/heads
}

# Two accounts and the account git: a ticket is good for the account that it was made for.
only_their_own() {
	local first=$BOT mine=$TICKET second theirs
	session
	second=$BOT theirs=$TICKET
	opens "$mine" "$first" "$first"
	opens "$theirs" "$second" "$second"
	opens_nothing "$theirs" "$first" "$first"
	opens_nothing "$mine" "$second" "$second"
	opens_nothing "$mine" git git
	opens_nothing "$mine" git
	opens_nothing "$mine" nobody "$first"
}

ask() { # ACCOUNT LINE...
	local account=$1
	shift
	INPUT=$(printf '%s\n' verb=authorize operation=pull repository=demo/hello "$@")$'\n\n' run as_account "$account" $HELPER
}

test_shared_uid_another_bots_ticket_opens_nothing() {
	uids shared
	session
	only_their_own
}

test_range_another_bots_ticket_opens_nothing() {
	local first
	uids range
	session
	only_their_own
	first=$BOT
	session
	[ "$(id -u "$BOT")" != "$(id -u "$first")" ] || fail 'one uid for two'
	# Here it is the kernel's word: to say another name helps nobody.
	opens_nothing "$TICKET" "$first" "$BOT"
	opens_nothing "$TICKET" git "$BOT"
	ask "$first" "ticket=$TICKET"
	says 'reason=bad_ticket'
	ask "$first" "ticket=$TICKET" "account=$BOT"
	says 'reason=bad_ticket'
	ask "$BOT" "ticket=$TICKET"
	says 'verdict=allow'
}

test_what_is_stated_narrows_only() {
	local other
	uids shared
	session
	other=$BOT
	session
	ask git "ticket=$TICKET" "account=$BOT"
	says 'verdict=allow'
	ask git "ticket=$TICKET" "account=$other"
	says 'reason=bad_ticket'
	ask alice "ticket=$TICKET" "account=$BOT"
	hides 'verdict=allow'
}

test_range_bots_clone_and_push_as_themselves() {
	uids range
	session
	server_git demo/hello config core.sharedRepository group
	chmod -R g+rwX /srv/git/demo/hello.git
	client password "$TOKEN"
	ok git_ clone "$BOT@host:demo/hello.git" "$T/c"
	commit "$T/c"
	ok git_ -C "$T/c" push origin HEAD:refs/heads/range
	[ "$(stat -c %U "$(find /srv/git/demo/hello.git/refs/heads -name range)")" = "$BOT" ] || fail 'not its own file'
	ok ssh_ "$BOT@host"
	says "$BOT"
	# What it pushed, git@host reads and goes on with.
	new_token --user alice --scope write_repository
	client password "$TOKEN"
	ok git_ clone -b range git@host:demo/hello.git "$T/d"
	commit "$T/d"
	ok git_ -C "$T/d" push origin HEAD:refs/heads/range
}

# Of a repository that gltoken makes, nothing is left to be set.
test_range_bots_push_to_a_repository_as_it_was_made() {
	uids range
	ok gltoken repo create --no-protect demo/fresh
	ok gltoken repo check demo/fresh
	[ "$(stat -c %a /srv/git/demo/fresh.git/objects)" = 2770 ] || fail "$(ls -la /srv/git/demo/fresh.git)"
	new_token --group demo --role developer --scope write_repository
	BOT=$(gltoken show "$ID" --json | jq -r .user)
	client password "$TOKEN"
	ok git_ clone "$BOT@host:demo/fresh.git" "$T/c"
	commit "$T/c"
	ok git_ -C "$T/c" push origin HEAD:refs/heads/one
	new_token --group demo --role developer --scope write_repository
	BOT=$(gltoken show "$ID" --json | jq -r .user)
	client password "$TOKEN"
	commit "$T/c"
	ok git_ -C "$T/c" push "$BOT@host:demo/fresh.git" HEAD:refs/heads/one
	ok git_ -C "$T/c" push --force "$BOT@host:demo/fresh.git" HEAD~1:refs/heads/one
	uids shared
	ok gltoken repo create --no-protect demo/alone
	ok gltoken repo check demo/alone
	[ -z "$(server_git demo/alone config core.sharedRepository)" ] || fail 'shared with nobody'
}

# The helper publishes, too.
test_a_session_changes_what_is_published() {
	local before
	uids shared
	new_token --project demo/hello --role maintainer --scope api,self_rotate --expires 30d
	BOT=$(gltoken show "$ID" --json | jq -r .user)
	before=$(stat -c %i /var/lib/gltoken/public/nss.cdb)
	client password "$TOKEN"
	ok ssh_ "$BOT@host" tokens rotate self
	[ "$(stat -c %i /var/lib/gltoken/public/nss.cdb)" != "$before" ] || fail 'not published'
	ok getent passwd "$BOT"
	says 'gltoken-shell$'
}

publishes() { # yes | no, COMMAND...
	local want=$1 before done=no
	shift
	before=$(stat -c %i /var/lib/gltoken/public/nss.cdb)
	ok "$@"
	[ "$(stat -c %i /var/lib/gltoken/public/nss.cdb)" = "$before" ] || done=yes
	[ $done = "$want" ] || fail "published: $done, should be $want: $(outcome)"
}

# To publish is to walk the whole store.
test_only_what_matters_is_published() {
	uids shared
	new_token --deploy demo/hello --scope read_repository --expires 30d
	publishes no gltoken edit "$ID" --description other --allow-from 192.0.2.0/24
	publishes no gltoken edit "$ID" --pause
	publishes no gltoken edit "$ID" --resume
	publishes no gltoken scope "$ID" --set write_repository
	publishes yes gltoken edit "$ID" --name "other-$RANDOM"
	publishes yes gltoken expire "$ID" --at 40d
	publishes yes gltoken rotate "$ID" --overlap 1h --json
	ID=$(jq -r .id "$T/out")
	publishes yes gltoken revoke "$ID"
	printf '[nss]\ngroups = yes\n' >/etc/gltoken/gltoken.conf
	new_token --deploy demo/hello --scope read_repository
	publishes no gltoken edit "$ID" --description other
	publishes yes gltoken scope "$ID" --set write_repository
	ok getent group "$(getent group | grep -o '^gl_project_[0-9]*' | head -n 1)"
	says "$(gltoken show "$ID" --json | jq -r .user | sed 's/[+]/[+]/')"
}

test_a_session_that_mints_publishes_the_bot() {
	local key n
	uids shared
	gltoken member set demo alice maintainer
	key=$(new_key)
	INPUT=$(cat "$key.pub") ok gltoken key add alice
	client publickey "$key"
	n=$(getent -s gltoken passwd | wc -l)
	ok ssh_ git@host project_access_token demo/hello minted read_repository developer
	[ "$(getent -s gltoken passwd | wc -l)" = $((n + 1)) ] || fail 'the new bot has no account'
	gltoken member set demo alice developer
}

# The accounts of bots that are asked for while gltoken itself asks NSS: no loop and no standstill.
test_publishing_asks_nss_itself() {
	uids range
	printf '[nss]\nuids = range\ngroups = yes\n' >/etc/gltoken/gltoken.conf
	groupadd -f crew
	gltoken member set demo @crew developer
	LIMIT=20 ok gltoken publish
	LIMIT=20 ok gltoken issue --name loop --project demo/hello --role developer --scope read_repository
	LIMIT=20 ok gltoken publish
}

e2e_main "$@"
