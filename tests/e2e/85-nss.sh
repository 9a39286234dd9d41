#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Accounts from libnss_gltoken, as the programs of a system see them.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

setup() {
	e2e_nss
	e2e_host
}

e2e_nss() {
	sed -i -E 's/^(passwd|group|shadow):.*/& gltoken/' /etc/nsswitch.conf
}

# $BOT is the account that token $ID acts as.
new_bot() { # ARGUMENT OF ISSUE...
	new_token "$@"
	BOT=$(gltoken show "$ID" --json | jq -r .user)
	[ "$BOT" != null ] || fail "token $ID has no bot"
}

as() { # ACCOUNT COMMAND...
	local account=$1
	shift
	setpriv --reuid "$(id -u "$account")" --regid "$(id -g "$account")" --init-groups "$@"
}

test_getent_and_id() {
	local git_uid git_gid
	git_uid=$(id -u git) git_gid=$(id -g git)
	new_bot --project demo/hello --role developer --scope write_repository
	ok getent passwd "$BOT"
	says "^$BOT:x:$git_uid:$git_gid:t-[^:]*:/var/lib/gltoken/home:/usr/bin/gltoken-shell$"
	ok id "$BOT"
	says "uid=$git_uid\(git\) gid=$git_gid\(git\) groups=$git_gid\(git\),[0-9]+\(gltoken\)$"
	ok getent shadow "$BOT"
	says "^$BOT:\*:::::::$"
	no as nobody getent shadow "$BOT"
	ok as nobody getent passwd "$BOT"
	ok getent passwd
	[ "$(grep -c "^$BOT:" "$T/out")" = 1 ] || fail "not once: $(outcome)"
	ok getent -s gltoken shadow
	says "^$BOT:\*:"
	no getent passwd "${BOT}x"
	no getent group "$BOT"
}

test_the_uid_stays_the_systems() {
	new_bot --group demo --role reporter --scope read_repository
	touch "$T/file"
	chown "$BOT" "$T/file"
	ok ls -l "$T/file"
	says ' git '
	ok getent passwd "$(id -u git)"
	says '^git:'
}

test_every_kind_of_account() {
	new_bot --deploy demo/hello --scope read_repository
	ok getent passwd "$BOT"
	new_bot --deploy demo/hello --scope read_repository --username robo
	ok getent passwd robo
	ok gltoken user add vera --display 'Vera: V., x'
	ok getent passwd vera
	says ':Vera  V.  x:'
	ok gltoken user remove vera
	no getent passwd vera
	new_token --user alice --scope read_repository
	[ "$(getent passwd | grep -c '^alice:')" = 1 ] || fail 'alice is there twice'
}

test_blocked_and_dead_accounts_keep_their_names() {
	ok gltoken user add walt
	ok gltoken user block walt
	ok getent passwd walt
	says ':/usr/sbin/nologin$'
	ok gltoken user unblock walt
	ok getent passwd walt
	says ':/usr/bin/gltoken-shell$'
	new_bot --project demo/hello --role developer --scope write_repository
	ok gltoken rotate "$ID" --overlap 0s --json
	ID=$(jq -r .id "$T/out")
	ok getent passwd "$BOT"
	says ':/usr/bin/gltoken-shell$'
	ok gltoken revoke "$ID"
	ok getent passwd "$BOT"
	says ':/usr/sbin/nologin$'
}

# The snapshot says until when, so that nobody need publish at that second.
test_expiry_counts_by_itself() {
	new_bot --project demo/hello --role developer --scope write_repository
	local at=$(($(date +%s) + 8))
	ok gltoken expire "$ID" --at "$(date -u -d "@$at" +%Y-%m-%dT%H:%M:%SZ)"
	ok getent passwd "$BOT"
	says ':/usr/bin/gltoken-shell$'
	await_second "$at"
	ok getent passwd "$BOT"
	says ':/usr/sbin/nologin$'
}

test_a_bot_logs_in_under_its_own_name() {
	local method
	new_bot --project demo/hello --role developer --scope write_repository
	for method in password keyboard-interactive; do
		client $method "$TOKEN"
		ok ssh_ "$BOT@host"
		says "$BOT"
		ok git_ clone "$BOT@host:demo/hello.git" "$T/$method"
		[ -f "$T/$method/README" ] || fail 'the clone is empty'
		commit "$T/$method"
		ok git_ -C "$T/$method" push origin "HEAD:refs/heads/bot-$method"
		logged "event=git .*decision=allow .*operation=push .*account=$BOT"
		no git_ ls-remote "$BOT@host:demo/other.git"
		no ssh_ "$BOT@host" id
	done
	logged "event=login .*decision=allow .*owner=$BOT .*account=$BOT"
	ok gltoken revoke "$ID"
	no ssh_ "$BOT@host"
	says 'Permission denied'
}

test_no_token_opens_anothers_account() {
	local first
	new_bot --project demo/hello --role developer --scope write_repository
	first=$BOT
	new_bot --project demo/hello --role developer --scope write_repository
	client password "$TOKEN"
	no ssh_ "$first@host"
	logged "event=login .*decision=deny .*reason=wrong_account"
	new_token --user alice --scope write_repository
	client password "$TOKEN"
	no ssh_ "$BOT@host"
	ok ssh_ git@host
}

test_a_user_without_an_account_logs_in() {
	local key
	ok gltoken user add xena
	ok gltoken member set demo xena developer
	new_token --user xena --scope write_repository
	client password "$TOKEN"
	ok git_ clone xena@host:demo/hello.git "$T/c"
	ok gltoken show "$ID" --json
	key=$(new_key)
	INPUT=$(cat "$key.pub") ok gltoken key add xena
	client publickey "$key"
	ok git_ ls-remote xena@host:demo/hello.git
	ok gltoken user block xena
	no ssh_ xena@host
}

# ---- names ----

test_a_name_of_the_system_is_refused() {
	rc 1 gltoken issue --name x --deploy demo/hello --scope read_repository --username alice
	says "'alice' is taken by an account of this system"
	rc 1 gltoken issue --name x --deploy demo/hello --scope read_repository --username daemon
	ok getent passwd
	[ "$(grep -c '^daemon:' "$T/out")" = 1 ] || fail 'daemon is there twice'
}

# What our own module says must not be taken for the system's word.
test_our_accounts_are_not_the_systems() {
	new_bot --deploy demo/hello --scope read_repository --username robin
	ok getent passwd robin
	rc 1 gltoken user add robin
	rc 1 gltoken issue --name x --user robin --scope read_repository
	rc 1 gltoken user block "$BOT"
	rc 1 gltoken issue --name x --deploy demo/other --scope read_repository --username robin
	ok gltoken user add yara
	rc 1 gltoken user add yara
	ok gltoken user list --json
	[ "$(jq -r '.[] | select(.username == "yara").system_account' "$T/out")" = false ] || fail 'taken for an account'
	rc 1 gltoken issue --name x --deploy demo/other --scope read_repository --username yara
	new_token --user yara --scope read_repository
	ok gltoken show "$ID" --json
}

# ---- programs of every kind ----

test_threaded_and_static_programs() {
	new_bot --project demo/hello --role developer --scope write_repository
	cc -O1 -D_GNU_SOURCE -pthread -o "$T/threads" "$TESTS/nss/threads.c"
	ok "$T/threads" "$BOT" git
	# A static program has no libc that nss-systemd could use: Debian 12's crashes in it.
	cp /etc/nsswitch.conf "$T/kept"
	sed -i 's/ systemd / /' /etc/nsswitch.conf
	cc -O1 -D_GNU_SOURCE -static -pthread -w -o "$T/static" "$TESTS/nss/threads.c" 2>/dev/null
	run "$T/static" "$BOT" git
	cp "$T/kept" /etc/nsswitch.conf
	[ "$RC" = 0 ] || fail "a static program: $(outcome)"
}

test_sudo_su_and_setuid_programs() {
	new_bot --project demo/hello --role developer --scope write_repository
	ok sudo -n -u "$BOT" id -un
	says '^git$'
	ok sudo -n -u "$BOT" id -Gn
	says 'gltoken'
	cc -O1 -D_GNU_SOURCE -pthread -o "$T/setuid" "$TESTS/nss/threads.c"
	chown root "$T/setuid"
	chmod 4755 "$T/setuid"
	ok as nobody "$T/setuid" "$BOT" git
	ok su -s /bin/sh -c 'id -Gn' "$BOT"
	says 'git gltoken'
}

test_cron_like_jobs() {
	new_bot --project demo/hello --role developer --scope write_repository
	# What cron and systemd do before they start somebody's command.
	# shellcheck disable=SC2016 # for perl
	ok perl -MPOSIX -e 'my @p = getpwnam($ARGV[0]) or exit 1; $( = $) = "$p[3] $p[3]"; POSIX::setuid($p[2]) or exit 2;
		exec "/usr/bin/id", "-un"' "$BOT"
	says '^git$'
	ok runuser -u "$BOT" -- id -un
	says '^git$'
}

test_publish_says_what_nsswitch_lacks() {
	new_bot --project demo/hello --role developer --scope write_repository
	ok gltoken publish
	hides nsswitch
	cp /etc/nsswitch.conf "$T/kept"
	sed -i -E '/^passwd:/s/ gltoken//; s/^group:.*/group: gltoken files/' /etc/nsswitch.conf
	ok gltoken publish --json
	cp "$T/kept" /etc/nsswitch.conf
	says 'does not name gltoken for passwd, group, or not'
	jq -e '.accounts > 0 and .groups == 0' "$T/out" >/dev/null || fail "not JSON: $(outcome)"
}

test_what_the_module_links() {
	local m
	m=$(find /usr/lib /lib -name libnss_gltoken.so.2 | head -n 1)
	ok "$TESTS/nss/exports.sh" "$m"
}

TESTS=$(cd "$(dirname "$0")/.." && pwd)
e2e_main "$@"
