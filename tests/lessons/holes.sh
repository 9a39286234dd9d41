#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Holes that others had, each tried on us under its own name. README.md beside this maps all of them, also those that
# other tests prove.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

HELPER=/usr/libexec/gltoken/gltoken-auth

setup() {
	e2e_host
	useradd -m -s /bin/bash -G gltoken mallory
	cc -std=c11 -Wall -o "$E2E_DIR/no-argv" "$E2E_LIB/no-argv.c"
}

# Ask the helper as root, which is what sshd does: KEY=VALUE...
ask() {
	INPUT=$(printf '%s\n' "$@" '' && echo .)
	INPUT=${INPUT%.} run "$HELPER"
}

verify() { # SECRET [ACCOUNT [KEY=VALUE]...]
	local secret=$1 account=${2-git}
	shift $(($# > 1 ? 2 : 1))
	ask verb=verify "secret=$secret" "account=$account" service=sshd rhost=192.0.2.1 "$@"
}

allowed() {
	grep -qx verdict=allow "$T/out" || fail "should be allowed: $(outcome)"
}

# Half an answer, or none, is a denial too.
denied() {
	! grep -qx verdict=allow "$T/out" || fail "should be denied: $(outcome)"
	! grep -q '^ticket=' "$T/out" || fail "a ticket without a yes: $(outcome)"
}

test_cve_2021_4034_pkexec_without_argv() {
	local p
	chmod 755 "$E2E_DIR/no-argv"
	for p in "$HELPER" /usr/libexec/gltoken/gltoken-{http,hook,keys} /usr/bin/gltoken /usr/bin/gltoken-{shell,askpass}; do
		run setpriv --reuid mallory --regid mallory --init-groups env "$E2E_DIR/no-argv" "$p"
		[ "$RC" -lt 126 ] || fail "$p without arguments: $(outcome)"
		case $p in
		*-hook) ;; # git has no hook of the name '', so there is nothing to run
		*) [ "$RC" != 0 ] || fail "$p does something without arguments: $(outcome)" ;;
		esac
		hides 'no-argv|verdict=allow'
	done
}

# What others let a Git account run, or a path be: each as a command of a login that may push.
commands_refused() { # COMMAND...
	local command
	new_token --user alice --scope write_repository
	client password "$TOKEN"
	rm -f /tmp/holed
	for command; do
		rc 1 ssh_ git@host "$command"
		hides 'usage:|NAME|uid=|root:|refs/heads'
		[ ! -e /tmp/holed ] || fail "it ran: $command"
	done
	ok git_ ls-remote git@host:demo/hello
}

# git-shell showed a manual page, in a pager that starts shells.
test_cve_2017_8386_git_shell_help() {
	commands_refused "git-upload-pack '--help'" 'git-upload-pack --help' "git-receive-pack '--help'" \
		"git-upload-archive '--help'" 'git upload-pack --help' "git-upload-pack '-h'" 'git help'
}

test_cve_2018_17456_git_options_as_paths() {
	commands_refused "git-upload-pack '-u./holed'" "git-upload-pack '--upload-pack=touch /tmp/holed'" \
		"git-receive-pack '--exec=touch /tmp/holed'" "git-upload-archive '--exec=touch /tmp/holed'" \
		"git-upload-pack '--' 'demo/hello'"
}

test_cve_2018_20683_gitolite_rsync_options() {
	commands_refused "rsync --server --sender -e'touch /tmp/holed' . demo/hello" 'rsync --server -vn . /tmp/holed' \
		"rsync --daemon --config=/tmp/holed"
}

test_cve_2011_1572_gitolite_commands_by_path() {
	commands_refused ../../../bin/sh '../../bin/id' '/bin/sh' "git-upload-pack '../../../etc'" \
		"git-upload-pack '/srv/git/../git/demo/hello'" "git-upload-pack 'demo/../demo/hello'"
}

# git-shell counted the words of a long command in an int.
test_cve_2022_39260_git_shell_long_commands() {
	commands_refused "git-upload-pack $(head -c 100000 /dev/zero | tr '\0' "'")" \
		"git-upload-pack '$(head -c 100000 /dev/zero | tr '\0' '\134')'" "$(head -c 100000 /dev/zero | tr '\0' ' ')git-upload-pack" \
		"git-upload-pack '$(head -c 100000 /dev/zero | tr '\0' a)'"
}

test_cve_2013_7041_pam_userdb_prefix_compare() {
	local n c
	new_token --user alice --scope write_repository
	for ((n = 0; n < ${#TOKEN}; n++)); do
		verify "${TOKEN:0:n}"
		denied
	done
	for c in a A 0 ' ' . "$TOKEN"; do
		verify "$TOKEN$c"
		denied
		verify "$c$TOKEN"
		denied
	done
	verify "$TOKEN"
	allowed
}

# Comparing without case, or until the first byte that is zero or odd.
test_cve_2026_54411_pam_userdb_inexact_compare() {
	local n c
	new_token --user alice --scope write_repository
	for ((n = 6; n < ${#TOKEN}; n++)); do
		c=${TOKEN:n:1}
		case $c in
		[a-z]) c=${c^} ;;
		[A-Z]) c=${c,} ;;
		*) c=$(((c + 1) % 10)) ;;
		esac
		verify "${TOKEN:0:n}$c${TOKEN:n+1}"
		denied
	done
	verify "$(tr '[:lower:]' '[:upper:]' <<<"$TOKEN")"
	denied
	verify "$TOKEN"
	allowed
}

# The same of names: alice is not alicex, demo not demo2.
test_cve_2013_7041_names_that_begin_alike() {
	useradd -m -s /bin/bash alicex
	useradd -m -s /bin/bash alic
	gltoken repo create demo2/hello
	gltoken repo create dem/hello
	local u
	for u in alicex alic; do
		new_token --user "$u" --scope write_repository
		no gltoken explain --id "$ID" --repo demo/hello --op pull
	done
	new_token --user alice --scope write_repository
	ok gltoken explain --id "$ID" --repo demo/hello --op push
	no gltoken explain --id "$ID" --repo demo2/hello --op pull
	no gltoken explain --id "$ID" --repo dem/hello --op pull
}

# Names reach no path: what the helper opens does not depend on what it is told.
test_cve_2014_2583_pam_timestamp_path_from_items() {
	local item
	new_token --user alice --scope write_repository
	for item in ../../../../tmp/zz-item /tmp/zz-item zz-item/../../x 'zz-item'; do
		printf '%s\n' verb=verify "secret=$TOKEN" "account=$item" "service=$item" "rhost=$item" '' >"$T/request"
		ok bash -c "strace -f -e trace=%file -o $T/trace $HELPER <$T/request || true"
		denied
		grep -q openat "$T/trace" || fail "nothing was traced"
		# libnss_systemd looks for accounts in files of their names; it takes none but plain names.
		! grep -F zz-item "$T/trace" | grep -Ev '/userdb/zz-item\.(user|group)"' || fail "a name became a path"
	done
}

# What root or the helper writes lies where nobody else can put a link.
test_cve_2024_47191_pam_oath_state_in_folders_of_users() {
	local d f
	new_token --user alice --scope write_repository --max-uses 3
	printf '%s\n' verb=verify "secret=$TOKEN" account=git service=sshd '' >"$T/request"
	ok bash -c "strace -f -e trace=openat,open,mkdir,rename,unlink,chown,lchown,chmod -o $T/trace $HELPER <$T/request"
	allowed
	grep -E 'O_WRONLY|O_RDWR|O_CREAT|^[0-9]+ +(mkdir|rename|unlink|l?chown|chmod)' "$T/trace" |
		grep -oE '"[^"]+"' | tr -d '"' | sort -u >"$T/written"
	grep -q store.mdb "$T/written" || fail "the use was not written"
	while read -r f; do
		case $f in
		/var/lib/gltoken/store/* | /run/gltoken | /run/gltoken/* | /dev/null) ;;
		cache | slot.* | uid.*) ;; # in /run/gltoken, by its descriptor
		*) fail "the helper wrote $f" ;;
		esac
	done <"$T/written"
	for d in / /var /var/lib /var/lib/gltoken /var/lib/gltoken/store /run /run/gltoken /etc /etc/gltoken /usr/libexec/gltoken; do
		case $(stat -c '%U %A' "$d") in
		'root d'????-??-? | 'gltoken d'????-??-?) ;;
		*) fail "$d: $(stat -c '%U %A' "$d")" ;;
		esac
	done
}

# FIFOs and links where the helper has its files: no hang, and no yes but one that was earned.
test_cve_2024_22365_pam_namespace_fifos() {
	local f
	new_token --user alice --scope write_repository
	verify "$TOKEN"
	allowed
	for f in /run/gltoken/cache /run/gltoken/slot.0 /run/gltoken/slot.1 /var/lib/gltoken/store/usage; do
		rm -f "$f"
		mkfifo -m 600 "$f"
		chown gltoken: "$f"
		LIMIT=18 verify "$TOKEN"
		[ "$RC" != 124 ] || fail "$f hangs the helper"
		LIMIT=18 verify glpat-abcdefabcdefghijklmn
		denied
		rm -f "$f"
	done
	verify "$TOKEN"
	allowed
}

test_cve_2025_6020_pam_namespace_links() {
	local f
	new_token --user alice --scope write_repository
	echo precious >/root/precious
	chown gltoken: /root/precious
	chmod 711 /root
	for f in /run/gltoken/cache /var/lib/gltoken/store/usage; do
		rm -f "$f"
		ln -s /root/precious "$f"
		verify "$TOKEN"
		[ "$(cat /root/precious)" = precious ] || fail "written through the link $f"
		rm -f "$f"
	done
	for f in store.mdb key writer.lock; do
		mv "/var/lib/gltoken/store/$f" "$T/kept"
		ln -s "$T/kept" "/var/lib/gltoken/store/$f"
		chmod 755 "$T"
		if [ "$f" = writer.lock ]; then
			no gltoken member set demo mallory guest
		else
			verify "$TOKEN"
			denied
		fi
		mv -f "$T/kept" "/var/lib/gltoken/store/$f"
	done
	verify "$TOKEN"
	allowed
	ok gltoken check
}

# A host's name is not an address, whatever it looks like.
test_cve_2024_10963_pam_access_names_as_addresses() {
	local rhost
	no gltoken issue --name by-name --user alice --scope read_repository --allow-from localhost
	no gltoken issue --name by-name --user alice --scope read_repository --allow-from alice
	new_token --user alice --scope write_repository --allow-from 192.0.2.1/32
	for rhost in 192.0.2.1.example.org localhost alice git 0xc0000201 3221225985 192.0.2.01 192.0.2.1/32 192.0.2.1. \
		'192.0.2.1 ' 192.0.2.1,198.51.100.1 192.0.2.1%lo 192.0.513 ::192.0.2.1 "$TOKEN" ''; do
		ask verb=verify "secret=$TOKEN" account=git service=sshd "rhost=$rhost"
		denied
	done
	verify "$TOKEN"
	allowed
}

# A service that runs only authenticate gets no more than one that runs the account phase as well.
test_cve_2022_0860_cobbler_no_account_phase() {
	local as
	for as in git 'alice nosession=1'; do
		# shellcheck disable=SC2086 # words
		set -- $as
		new_token --user alice --scope write_repository
		verify "$TOKEN" "$@"
		allowed
		gltoken edit "$ID" --pause
		verify "$TOKEN" "$@"
		denied
		gltoken edit "$ID" --resume
		verify "$TOKEN" "$@"
		allowed
		gltoken user block alice
		verify "$TOKEN" "$@"
		denied
		gltoken user unblock alice
		gltoken expire "$ID" --at now
		verify "$TOKEN" "$@"
		denied
		new_token --user alice --scope write_repository
		gltoken revoke "$ID"
		verify "$TOKEN" "$@"
		denied
		new_token --user alice --scope write_repository --not-before 2h
		verify "$TOKEN" "$@"
		denied
		new_token --user alice --scope write_repository --allow-from 198.51.100.0/24
		verify "$TOKEN" "$@"
		denied
		new_token --user alice --scope write_repository --service imap
		verify "$TOKEN" "$@"
		denied
	done
	new_token --user alice --scope write_repository
	verify "$TOKEN" bob
	denied
}

# A name that is too long is refused: cut, it might be somebody's.
test_linux_pam_d3b8c072_names_that_are_cut() {
	local long n
	new_token --user alice --scope write_repository
	for n in 1 29 32 61 64 125 128 252 256 2000; do
		long=git$(head -c "$n" /dev/zero | tr '\0' x)
		verify "$TOKEN" "$long"
		denied
	done
	long=alice$(head -c 300 /dev/zero | tr '\0' x)
	no gltoken user add "$long"
	no gltoken member set demo "$long" owner
	no gltoken issue --name long --user "$long" --scope api
	no gltoken issue --name "$long" --user alice --scope read_repository
	long=$(head -c 5000 /dev/zero | tr '\0' d)
	no gltoken explain --id "$ID" --repo "demo/hello$long" --op pull
	verify "$TOKEN"
	allowed
}

# A key that was offered and not proved is nobody's: the identity is that of the method that finished.
test_soft_serve_key_that_was_only_offered() {
	local key
	key=$(new_key)
	ok gltoken key add alice "$key.pub"
	rm "$key"
	new_token --user bob --scope read_repository
	client password "$TOKEN" "IdentityFile $key"
	sed -i 's/^PreferredAuthentications.*/PreferredAuthentications publickey,password/; /^IdentityFile none/d' "$T/ssh_config"
	ok ssh_ -v git@host
	says 'Server accepts key'
	says bob
	if grep -q alice "$T/out"; then fail "identity of a key that was only offered: $(outcome)"; fi
}

# Nothing that is no record succeeds, also where there is no record at all.
test_cve_2020_27780_pam_unix_unknown_users() {
	local a
	for a in git root nobody no-such-account mallory ''; do
		verify glpat-abcdefabcdefghijklmn "$a"
		denied
		verify '' "$a"
		denied
		ask verb=authorize operation=login ticket= "account=$a"
		denied
	done
	new_token --user alice --scope write_repository
	for a in root nobody no-such-account mallory ''; do
		verify "$TOKEN" "$a"
		denied
	done
}

# A file of the caller's is read as the caller, and what stands in it is not shown.
test_cve_2019_12209_pam_u2f_files_of_users() {
	ln -s /etc/shadow "$T/link.pub"
	run gltoken key add alice "$T/link.pub"
	[ "$RC" != 0 ] || fail "shadow has no keys"
	hides "root:|[$]y[$]|:0:99999"
	run setpriv --reuid mallory --regid mallory --init-groups gltoken key add alice /etc/shadow
	[ "$RC" != 0 ] || fail "mallory added a key"
	hides 'root:'
}

# Secrets go by descriptor: no program of ours takes one from its command line.
test_gitolite_htpasswd_secret_in_argv() {
	new_token --user alice --scope write_repository
	no gltoken identify "$TOKEN"
	hides "${TOKEN#glpat-}"
	no gltoken revoke "$TOKEN"
	hides "${TOKEN#glpat-}"
	ask "secret=$TOKEN"
	denied
	run "$HELPER" "$TOKEN"
	denied
	new_token --user alice --scope write_repository
	verify "$TOKEN"
	allowed
}

e2e_main "$@"
