#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Tokens beside a directory (slapd and libpam-ldapd) and beside one-time codes (libpam-oath), in stacks that are shipped,
# each with witnesses of what the other modules are shown.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
# shellcheck source=tests/lib/packages.sh
. "$E2E_LIB/packages.sh"
# shellcheck source=tests/lib/witness.sh
. "$E2E_LIB/witness.sh"

LDAP='ldapi://%2Frun%2Fgltoken-ldap%2Fldapi'
OATH_SECRET=3132333435363738393031323334353637383930

setup() {
	e2e_host
	echo 'alice:correct horse battery' | chpasswd
	witness_start
	mkdir -p "$E2E_DIR/pam"
	cp -p /etc/pam.d/common-auth "$E2E_DIR/pam/"
}

# Installed, and the host's PAM and name service made to ask them, as the packages do it.
modules() {
	[ ! -e "$E2E_DIR/modules" ] || return 0
	LIMIT=170 ok packages_pam
	touch "$E2E_DIR/modules"
}

# An sshd with a stack that is shipped and a witness in it.
stack_start() { # EXAMPLE [LINE OF SSHD_CONFIG]...
	witness_stack "$1"
	shift
	printf '%s\n' 'KbdInteractiveAuthentication yes' 'PasswordAuthentication yes' >"$T/stock"
	sed 's/^/	/; s/^	Match/Match/; s/^	\(#.*\)$/\1/' "$SHIPPED/00-gltoken.conf" >"$T/dropin"
	cat "$T/dropin" >>"$T/stock"
	SSHD_PAM=sshd sshd_start stack "$T/stock" "$@"
}
SSHD=stack

# ---- a directory ----

slapd_start() {
	install -d -m 755 -o openldap /run/gltoken-ldap
	install -d -m 700 -o openldap "$E2E_DIR/ldap"
	printf '%s\n' 'include /etc/ldap/schema/core.schema' 'include /etc/ldap/schema/cosine.schema' \
		'include /etc/ldap/schema/nis.schema' 'modulepath /usr/lib/ldap' 'moduleload back_mdb' 'pidfile /run/gltoken-ldap/pid' \
		'database mdb' 'suffix dc=example,dc=org' 'rootdn cn=admin,dc=example,dc=org' 'rootpw admin' \
		"directory $E2E_DIR/ldap" >"$E2E_DIR/slapd.conf"
	slapd -u openldap -g openldap -f "$E2E_DIR/slapd.conf" -h "$LDAP"
	await ldapwhoami -x -H "$LDAP"
}

directory() {
	modules
	[ ! -e "$E2E_DIR/slapd.conf" ] || return 0
	chmod 711 "$E2E_DIR"
	slapd_start
	ldapadd -x -H "$LDAP" -D cn=admin,dc=example,dc=org -w admin >"$T/ldapadd" <<-'END'
		dn: dc=example,dc=org
		objectClass: domain
		dc: example

		dn: uid=lara,dc=example,dc=org
		objectClass: account
		objectClass: posixAccount
		objectClass: shadowAccount
		cn: Lara
		uid: lara
		uidNumber: 5001
		gidNumber: 5001
		homeDirectory: /tmp
		loginShell: /bin/bash
		userPassword: staple of a directory

		dn: cn=devs,dc=example,dc=org
		objectClass: posixGroup
		cn: devs
		gidNumber: 5001
		memberUid: lara
	END
	printf '%s\n' 'uid nslcd' 'gid nslcd' "uri $LDAP" 'base dc=example,dc=org' 'reconnect_retrytime 1' >/etc/nslcd.conf
	sed -i 's/^\(passwd\|group\|shadow\):.*/\1: files ldap/' /etc/nsswitch.conf
	install -d -o nslcd /run/nslcd
	nslcd
	await getent passwd lara
	grep -q pam_ldap /etc/pam.d/common-auth || fail "the package has not put pam_ldap into common-auth"
	gltoken member set demo @devs developer
}

test_directory() {
	directory
	stack_start sshd-git-mixed
	both directory_password
	both directory_token
	both directory_refuses
	sshd_stop stack
}

directory_password() {
	client "$1" 'staple of a directory'
	ok ssh_ lara@host id -un
	says '^lara$'
	grep -q 'staple of a directory' /tmp/witnessed || fail "the password was not passed on"
	client "$1" 'a wrong staple'
	no ssh_ lara@host id -un
	client "$1" 'correct horse battery'
	ok ssh_ alice@host id -un
}

# Somebody of the directory alone, and a developer by a group of it.
directory_token() {
	new_token --user lara --scope write_repository
	client "$1" "$TOKEN"
	ok git_ ls-remote git@host:demo/hello.git
	work_tree "$T/$1"
	ok git_ -C "$T/$1" push -q origin "main:refs/heads/$1"
	no ssh_ lara@host id
	unseen
}

# A secret of that shape ends here, even if it is what the directory would take.
directory_refuses() {
	local secret=glpat-abcdefghijklmnopqrst
	ldappasswd -x -H "$LDAP" -D cn=admin,dc=example,dc=org -w admin -s "$secret" uid=lara,dc=example,dc=org
	client "$1" "$secret"
	no ssh_ lara@host id
	says 'Permission denied'
	logged 'decision=deny .*reason=unknown_token'
	unseen
	ldappasswd -x -H "$LDAP" -D cn=admin,dc=example,dc=org -w admin -s 'staple of a directory' uid=lara,dc=example,dc=org
}

# Tokens of others go on while the directory is down.
test_directory_down() {
	directory
	stack_start sshd-git-mixed
	kill "$(cat /run/gltoken-ldap/pid)"
	new_token --user alice --scope read_repository
	client password "$TOKEN"
	ok git_ ls-remote git@host:demo/hello.git
	sshd_stop stack
	pkill -x nslcd || true
	sed -i 's/^\(passwd\|group\|shadow\):.*/\1: files/' /etc/nsswitch.conf
	cp -p "$E2E_DIR/pam/common-auth" /etc/pam.d/
}

# ---- one-time codes ----

# Answers with lines of ASKPASS_FILE, one after the other.
codes_askpass() {
	# shellcheck disable=SC2016 # for the shell that ssh starts
	printf '#!/bin/sh\nsed -n 1p "$ASKPASS_FILE"; sed -i 1d "$ASKPASS_FILE"; echo "$1" >>"$ASKPASS_FILE.asked"\n' >"$E2E_DIR/askpass"
	chmod 755 "$E2E_DIR/askpass"
	chmod 777 "$T"
	ASKPASS=$E2E_DIR/askpass
}

code() {
	oathtool --totp "$OATH_SECRET"
}

oath() {
	modules
	cp -p "$E2E_DIR/pam/common-auth" /etc/pam.d/
	install -m 600 /dev/null /etc/users.oath
	printf 'HOTP/T30/6\t%s\t-\t%s\n' alice "$OATH_SECRET" git "$OATH_SECRET" >/etc/users.oath
	codes_askpass
}

test_codes() {
	oath
	stack_start sshd-git-mfa
	client keyboard-interactive "correct horse battery
$(code)"
	ok ssh_ alice@host id -un
	says '^alice$'
	[ "$(wc -l <"$T/secret.asked")" = 2 ] || fail "asked: $(cat "$T/secret.asked")"
	# A code counts once, and there is no way round it.
	client keyboard-interactive 'correct horse battery
000000'
	no ssh_ alice@host id
	client password 'correct horse battery'
	no ssh_ alice@host id
	sshd_stop stack
}

# No code for a token: one is asked for once, by either method; and where it is refused, for nothing more.
test_codes_and_tokens() {
	oath
	stack_start sshd-git-mfa
	both token_needs_no_code
	sshd_stop stack
}
token_needs_no_code() {
	new_token --user alice --scope write_repository
	client "$1" "$TOKEN"
	ok git_ ls-remote git@host:demo/hello.git
	[ "$(wc -l <"$T/secret.asked")" = 1 ] || fail "asked: $(cat "$T/secret.asked")"
	no ssh_ alice@host id
	ok gltoken revoke "$ID"
	client "$1" "$TOKEN
$(code)"
	no ssh_ git@host
	[ "$(wc -l <"$T/secret.asked")" = 1 ] || fail "asked: $(cat "$T/secret.asked")"
	unseen
}

# People need a key and a code for a shell; a token is enough for Git, and so is a known key.
test_methods() {
	local key other
	oath
	stack_start sshd-git-mfa 'AuthenticationMethods publickey,keyboard-interactive'
	key=$(new_key)
	as_dev cat "$key.pub" | install -D -m 600 -o alice /dev/stdin /home/alice/.ssh/authorized_keys
	chown alice: /home/alice/.ssh
	rm -f /etc/users.oath.*
	client keyboard-interactive "correct horse battery
$(code)" 'PreferredAuthentications publickey,keyboard-interactive' "IdentityFile $key"
	ok ssh_ alice@host id -un
	says '^alice$'
	client keyboard-interactive "correct horse battery
$(code)"
	no ssh_ alice@host id
	both token_opens_git
	other=$(new_key)
	ok gltoken key add bob "$other.pub"
	client publickey "$other"
	ok git_ ls-remote git@host:demo/hello.git
	sshd_stop stack
}
token_opens_git() {
	new_token --user alice --scope write_repository
	client "$1" "$TOKEN"
	ok git_ ls-remote git@host:demo/hello.git
	unseen
}

# Both a known key and a token, where the host wants that: it is the token that says who it is.
test_key_and_token() {
	local key
	oath
	sed -i 's/^\tAuthenticationMethods .*/\tAuthenticationMethods publickey,password publickey,keyboard-interactive/' \
		"$SHIPPED/00-gltoken.conf"
	stack_start sshd-git-mixed
	key=$(new_key)
	ok gltoken key add bob "$key.pub"
	both key_then_token
	client publickey "$key"
	no git_ ls-remote git@host:demo/hello.git
	sshd_stop stack
}
key_then_token() {
	new_token --user alice --scope write_repository
	client "$1" "$TOKEN"
	no git_ ls-remote git@host:demo/hello.git
	client "$1" "$TOKEN" "PreferredAuthentications publickey,$1" "IdentityFile $key"
	ok ssh_ git@host
	says 'Welcome to gltoken, @alice'
	ok gltoken revoke "$ID"
	no ssh_ git@host
	unseen
}

e2e_main "$@"
