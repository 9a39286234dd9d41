#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A configuration that cannot be used does not take the host down, and never makes it weaker unseen; config edit, conf.d.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

CONF=/etc/gltoken/gltoken.conf VALID=/var/lib/gltoken/gltoken.conf.valid

setup() {
	e2e_host
	cp $CONF "$E2E_DIR/as-shipped"
	new_token --user alice --scope write_repository
	echo "$TOKEN" >"$E2E_DIR/token"
}

# As it came, and nothing in conf.d.
restore() {
	rm -rf /etc/gltoken/conf.d
	cp "$E2E_DIR/as-shipped" $CONF
	ok gltoken config check
	ok gltoken config check --json
	[ "$(jq -c . "$T/out")" = '{"ok":true,"fault":null,"files":["/etc/gltoken/gltoken.conf"]}' ] || fail "$(outcome)"
	client password "$(cat "$E2E_DIR/token")"
	ok git_ ls-remote git@host:demo/hello.git
}

# config edit with an editor that runs this.
edits() { # SCRIPT [NAME]
	printf '#!/bin/sh\n%s\n' "$1" >"$T/editor"
	chmod 755 "$T/editor"
	run env -u VISUAL EDITOR="$T/editor" gltoken config edit ${2+"$2"}
}

test_broken_file_leaves_the_last_one_in_force() {
	restore
	printf '[policy]\nmax_lifetime = 10d\nmax_role = nonsense\n' >$CONF
	ok git_ ls-remote git@host:demo/hello.git
	logged 'gltoken-auth.* event=config reason=config_error using="last validated copy" kept_at=20.* text="/etc/gltoken/gltoken.conf line 3: '
	ok gltoken list
	says 'warning: /etc/gltoken/gltoken.conf line 3: \[policy\] max_role'
	says 'warning: the configuration of 20.* is in force until that is put right'
	rc 1 gltoken config check
	says 'line 3'
	rc 1 gltoken config check --json
	[ "$(jq -r '[.ok, (.fault | test("line 3"))] | join(" ")' "$T/out")" = 'false true' ] || fail "$(outcome)"
	# Of the broken file nothing counts, not even what stands before the fault.
	new_token --user alice --scope read_repository --expires 30d
	cp "$E2E_DIR/as-shipped" $CONF
	ok gltoken list
	hides warning
	LOG_FROM=$(stat -c %s "$SSHD_DIR/syslog")
	ok git_ ls-remote git@host:demo/hello.git
	quiet event=config
}

# Behind such a byte a parser of text would read nothing: no rule may hide there.
test_a_byte_that_ends_texts() {
	restore
	printf '[policy]\nmax_lifetime = 10d\0\nreuse = nonsense\n' >$CONF
	rc 1 gltoken config check
	says 'holds a NUL byte'
	restore
}

test_writable_by_others_is_a_fault() {
	restore
	chmod 666 $CONF
	ok git_ ls-remote git@host:demo/hello.git
	logged 'using="last validated copy" .*must be a regular file of root'
	chmod 644 $CONF
}

# What counted meanwhile was stricter, and no root command has seen it.
test_older_copy_is_not_used() {
	restore
	printf '[policy]\nallow_from = 127.0.0.0/8\nmax_lifetime = 10d\n' >$CONF
	ok git_ ls-remote git@host:demo/hello.git
	echo 'max_role = nonsense' >>$CONF
	no git_ ls-remote git@host:demo/hello.git
	logged 'event=config reason=config_error using=nothing'
	logged 'event=login decision=deny reason=config_error'
	rc 3 gltoken issue --user alice --name weak --scope read_repository --expires 300d
	says 'the last configuration was another one'
	sed -i '$d' $CONF
	ok gltoken list
	echo 'max_role = nonsense' >>$CONF
	ok git_ ls-remote git@host:demo/hello.git
	rc 1 gltoken issue --user alice --name weak --scope read_repository --expires 300d
	says 'max_lifetime'
	restore
}

test_without_a_copy_nothing_works() {
	restore
	rm $VALID
	echo nonsense >>$CONF
	no git_ ls-remote git@host:demo/hello.git
	logged 'reason=config_error'
	rc 3 gltoken list
	restore
	[ "$(stat -c '%a %U' $VALID)" = '644 root' ] || fail "$(stat $VALID)"
	# A copy that somebody else could have written is none.
	chmod 666 $VALID
	echo nonsense >>$CONF
	no git_ ls-remote git@host:demo/hello.git
	chmod 644 $VALID
	ok git_ ls-remote git@host:demo/hello.git
	restore
}

test_conf_d() {
	restore
	mkdir -m 755 /etc/gltoken/conf.d
	printf '[policy]\nallow_from = 192.0.2.0/24\n' >/etc/gltoken/conf.d/50-site.conf
	no git_ ls-remote git@host:demo/hello.git
	printf '[policy]\nallow_from = 127.0.0.0/8\n' >/etc/gltoken/conf.d/60-more.conf
	ok git_ ls-remote git@host:demo/hello.git
	ok gltoken config check
	says '^/etc/gltoken/conf.d/60-more.conf: no fault found$'
	ok gltoken policy show
	says '^allow_from .*127.0.0.0/8 +/etc/gltoken/conf.d/60-more.conf:2$'
	printf '[polcy]\nmode = observe\n' >/etc/gltoken/conf.d/70-new.conf
	rc 1 gltoken config check
	says '/etc/gltoken/conf.d/70-new.conf line 1: unknown section \[polcy\]'
	rm /etc/gltoken/conf.d/70-new.conf
	restore
}

test_edit() {
	local before
	restore
	chmod 640 $CONF
	chgrp git $CONF
	# shellcheck disable=SC2016 # the editor's own
	edits 'grep -q "^\[policy\]" "$1" || exit 9; printf "%s\n" "[policy]" "max_lifetime = 20d" >>"$1"'
	[ "$RC" = 0 ] || fail "$(outcome)"
	says 'gltoken.conf is in force'
	[ "$(stat -c '%a %U:%G' $CONF)" = '640 root:git' ] || fail "$(stat $CONF)"
	rc 1 gltoken issue --user alice --name long --scope read_repository --expires 300d
	grep -q 'max_lifetime = 20d' $VALID || fail 'it is not kept'
	before=$(sha256sum $CONF)
	# shellcheck disable=SC2016
	edits 'echo "max_lifetime = soon" >>"$1"'
	[ "$RC" = 1 ] || fail "$(outcome)"
	says '/etc/gltoken/gltoken.conf line [0-9]+: \[policy\] max_lifetime'
	says 'gltoken.conf is as it was'
	edits 'exit 1'
	[ "$RC" = 1 ] || fail "$(outcome)"
	edits true
	[ "$RC" = 0 ] || fail "$(outcome)"
	says 'Nothing was changed'
	[ "$(sha256sum $CONF)" = "$before" ] || fail 'it was changed'
	[ "$(ls /etc/gltoken)" = gltoken.conf ] || fail "left over: $(ls /etc/gltoken)"
	chmod 644 $CONF
	restore
}

# It was validated, though no request has come since.
test_broken_right_after_an_edit() {
	restore
	# shellcheck disable=SC2016 # the editor's own
	edits 'printf "%s\n" "[policy]" "max_lifetime = 20d" >>"$1"'
	[ "$RC" = 0 ] || fail "$(outcome)"
	echo nonsense >>$CONF
	ok git_ ls-remote git@host:demo/hello.git
	logged 'using="last validated copy"'
	rc 1 gltoken issue --user alice --name long --scope read_repository --expires 300d
	says 'max_lifetime'
	restore
}

test_edit_asks_at_a_terminal() {
	restore
	# shellcheck disable=SC2016 # the editor's own
	printf '#!/bin/sh\nif grep -q soon "$1"; then sed -i s/soon/20d/ "$1"; else printf "[policy]\\nmax_lifetime = soon\\n" >>"$1"; fi\n' >"$T/editor"
	chmod 755 "$T/editor"
	INPUT=$'y\n' run script -qE never -ec "env -u VISUAL EDITOR=$T/editor gltoken config edit" /dev/null
	[ "$RC" = 0 ] || fail "$(outcome)"
	says 'Edit it again\? \[y/N\]'
	says 'is in force'
	grep -q 'max_lifetime = 20d' $CONF || fail "$(tail -n 3 $CONF)"
	restore
}

test_edit_conf_d() {
	restore
	# shellcheck disable=SC2016
	edits 'printf "[policy]\nmax_lifetime = 20d\n" >"$1"' 50-site
	[ "$RC" = 0 ] || fail "$(outcome)"
	[ "$(stat -c %a /etc/gltoken/conf.d /etc/gltoken/conf.d/50-site.conf | tr '\n' ' ')" = '755 644 ' ] || fail modes
	ok git_ ls-remote git@host:demo/hello.git
	ok gltoken policy show
	says '^max_lifetime .*20d +/etc/gltoken/conf.d/50-site.conf:2$'
	# shellcheck disable=SC2016
	edits 'echo "[nonsense" >"$1"' 50-site.conf
	[ "$RC" = 1 ] || fail "$(outcome)"
	says '/etc/gltoken/conf.d/50-site.conf line 1'
	rc 2 gltoken config edit ../x
	rc 2 gltoken config edit .hidden
	restore
}

test_one_editor_at_a_time() {
	restore
	printf '#!/bin/sh\ntouch "%s"; while [ -e "%s" ]; do sleep 0.05; done\n' "$T/open" "$T/open" >"$T/slow"
	chmod 755 "$T/slow"
	VISUAL=$T/slow timeout 60 gltoken config edit >/dev/null 2>&1 &
	await test -e "$T/open"
	rc 1 gltoken config edit
	says 'somebody else edits'
	rm "$T/open"
	wait
	rc 3 as_dev gltoken config edit
}

e2e_main "$@"
