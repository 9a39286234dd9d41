#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# "When something does not work" of the README: what stands there is what one sees, and what it says helps.
# shellcheck disable=SC2016 # backquotes of the page
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

CONF=/etc/gltoken/gltoken.conf
STACK=/etc/pam.d/sshd-git
PAGE=$E2E_LIB/../../README.md

setup() {
	e2e_host
}

# The page has a row with these words on its left, and these on its right.
page() { # LEFT RIGHT
	sed -n '/^## When something does not work/,/^## Files/p' "$PAGE" | awk -F' [|] ' -v left="$1" -v right="$2" \
		'index($1, left) && index($2, right) { found = 1 } END { exit !found }' ||
		fail "the page has no row '$1' with '$2'"
}

pull() { # [PROJECT]
	git_ ls-remote "git@host:${1:-demo/hello}.git"
}

# What the page calls it is what git says.
sees() { # WORDS COMMAND...
	no "${@:2}"
	says "$1"
}

with_token() { # ARGUMENT OF ISSUE...
	new_token "$@"
	client password "$TOKEN"
}

denied() { # REASON
	page 'Permission denied' "${2-}"
	sees 'Permission denied' pull
	logged "event=login decision=deny reason=$1 "
}

test_the_token() {
	with_token --user alice --scope read_repository
	gltoken revoke "$ID"
	denied revoked '`revoked`'
	with_token --user alice --scope read_repository --allow-from 192.0.2.0/24
	denied address_not_allowed '`address_not_allowed`'
	ok gltoken edit "$ID" --allow-from 127.0.0.0/8
	ok pull
	page 'reason=not_a_token' 'a cut or mistyped token'
	client password "${TOKEN%?}"
	denied not_a_token
	page 'reason=reused' 'the token that was rotated'
	client password "$TOKEN"
	ok gltoken rotate "$ID"
	denied reused
	logged "event=reuse token=$ID "
}

test_the_account() {
	with_token --user alice --scope read_repository
	page 'reason=account_unknown' 'it was not the account `git`'
	sees 'Permission denied' ssh_ alice@host
	logged 'event=login decision=deny reason=account_unknown account=alice'
	gpasswd -d git gltoken >/dev/null
	denied account_unknown
	page 'reason=account_unknown' '`usermod -aG gltoken git`'
	ok usermod -aG gltoken git
	ok pull
	page 'reason=git_shell_account' '`usermod -s /usr/bin/gltoken-shell git`'
	usermod -s /usr/bin/git-shell git
	denied git_shell_account
	ok usermod -s /usr/bin/gltoken-shell git
	ok pull
}

# Where sshd lets in whom it likes.
test_the_account_in_another_sshd() {
	sed /^AllowGroups/d "$SHIPPED/sshd_config.sshd-git" >"$T/config"
	sshd_start free "$T/config"
	SSHD=free with_token --user alice --scope write_repository
	page 'Permission denied' '`not_git_account`'
	sees 'Permission denied' ssh_ alice@host
	logged 'reason=not_git_account token'
	gpasswd -d git gltoken >/dev/null
	page 'reason=unavailable`, "not permitted to run' '`usermod -aG gltoken git`'
	sees 'temporarily unavailable' pull
	logged 'reason=unavailable .*text="not permitted to run '
	ok usermod -aG gltoken git
	ok pull
	page "unrecognized command '/usr/bin/gltoken-shell'" '`gpasswd -d USER gltoken`'
	usermod -s /usr/bin/git-shell -aG gltoken alice
	sees "unrecognized command '/usr/bin/gltoken-shell'" git_ ls-remote alice@host:demo/hello.git
	gpasswd -d alice gltoken >/dev/null
	usermod -s /bin/bash alice
	sshd_stop free
}

test_sshd_does_not_ask() {
	SSHD_PAM=elsewhere sshd_start elsewhere "$SHIPPED/sshd_config.sshd-git"
	SSHD=elsewhere with_token --user alice --scope read_repository
	page 'nothing of pam_gltoken in the log' 'the PAM service `sshd-git`'
	sees 'Permission denied' pull
	quiet pam_gltoken
	client password "$TOKEN"
	ok pull
	sshd_stop elsewhere
}

test_ssh_offers_keys_first() {
	with_token --user alice --scope read_repository
	sed -i 's/^PreferredAuthentications .*/PreferredAuthentications publickey,password/' "$T/ssh_config"
	for _ in {1..7}; do sed -i "1i IdentityFile $(new_key)" "$T/ssh_config"; done
	page 'Too many authentication failures' '`-o PubkeyAuthentication=no`'
	sees 'Too many authentication failures' pull
	ok ssh_ -o PubkeyAuthentication=no git@host
}

test_configuration() {
	with_token --user alice --scope read_repository
	cp -a $CONF "$T/conf"
	gltoken list >/dev/null
	echo '[polcy]' >>$CONF
	page 'reason=config_error`, `event=config' 'what was validated last is in force'
	ok pull
	logged 'event=config reason=config_error .*unknown section \[polcy\]'
	rc 1 gltoken config check
	says "$CONF line [0-9]+: unknown section"
	rm /var/lib/gltoken/gltoken.conf.valid
	denied config_error
	cp -a "$T/conf" $CONF
	ok pull
	page 'reason=service_not_listed' '`services=`'
	cp -a $STACK "$T/stack"
	sed -i 's/pam_gltoken.so/& services=web/' $STACK
	denied service_not_listed
	cp -a "$T/stack" $STACK
	ok pull
}

test_the_store() {
	with_token --user alice --scope read_repository
	page 'reason=unavailable' 'no store (`gltoken init`), wrong owner or mode'
	mv /var/lib/gltoken/store /var/lib/gltoken/away
	denied unavailable
	logged 'text="store .* does not exist: run gltoken init"'
	mv /var/lib/gltoken/away /var/lib/gltoken/store
	chmod 755 /var/lib/gltoken/store
	denied unavailable
	logged 'text="store .* must belong to .* and have mode 0700"'
	chmod 700 /var/lib/gltoken/store
	ok pull
	page 'only root may use the store' 'sudo'
	sees 'only root may use the store' setpriv --reuid alice --regid alice --clear-groups gltoken list
}

test_what_it_may_do() {
	with_token --user alice --scope read_repository
	work_tree "$T/w"
	page "could not be found or you don't have permission" '`gltoken explain`'
	sees "could not be found or you don't have permission" pull secret/vault
	logged reason=not_a_member
	rc 1 gltoken explain --id "$ID" --op pull --repo secret/vault --account git --from 127.0.0.1
	says not_a_member
	page 'not allowed to upload code' '`write_repository`'
	sees 'not allowed to upload code' git_ -C "$T/w" push -q origin HEAD:refs/heads/symptom
	ok gltoken scope "$ID" --add write_repository
	ok git_ -C "$T/w" push -q origin HEAD:refs/heads/symptom
	with_token --user bob --scope write_repository
	page 'not allowed to push code to this project' '`gltoken member list PATH`'
	sees 'not allowed to push code to this project' git_ -C "$T/w" push -q origin HEAD:refs/heads/second
	ok gltoken member list demo/hello
	says 'bob +reporter'
	page 'Disallowed command' 'a shell or scp was asked for'
	sees 'Disallowed command' ssh_ git@host 'scp -t x'
}

test_the_host() {
	local dir=/usr/libexec/gltoken
	with_token --user alice --scope read_repository
	page 'temporarily unavailable' '`no_privilege`'
	mount --bind $dir $dir
	mount -o remount,bind,nosuid $dir
	sees 'temporarily unavailable' pull
	logged 'event=git decision=deny reason=no_privilege'
	umount $dir
	ok pull
	page 'cannot be served as it is' '`gltoken repo adopt --fix`'
	chown -R root: /srv/git/demo/hello.git
	chmod 700 /srv/git/demo/hello.git
	sees 'cannot be served as it is' pull
	logged reason=repository_unreadable
	ok gltoken repo adopt --fix
	ok pull
}

test_the_session() {
	local key
	key=$(new_key)
	gltoken key add alice <"$key.pub"
	client publickey "$key"
	ok pull
	cp -a $STACK "$T/stack"
	sed -i /^session/d $STACK
	page 'did not log in with an access token or with a public key that is known' '`pam_gltoken.so` is not in the `session` lines'
	sees 'did not log in with an access token or with a public key that is known' pull
	cp -a "$T/stack" $STACK
	ok pull
}

e2e_main "$@"
