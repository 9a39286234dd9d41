#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What timers and cron run: units that systemd takes, how far they are sandboxed, and backups that are rotated.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

CONF=/etc/gltoken/gltoken.conf
UNITS=/etc/systemd/system
BACKUPS=/var/backups/gltoken

setup() {
	syslog_start "$E2E_DEVLOG"
	gltoken init
	gltoken user add vera
	gltoken issue --user vera --name one --scope read_repository --expires 2d >/dev/null
	mkdir -p "$UNITS"
	cp "$SHIPPED"/*.service "$SHIPPED"/*.socket "$SHIPPED"/*.timer "$UNITS"
}

test_systemd_takes_the_units() {
	local u
	for u in backup reap notify; do
		ok systemd-analyze verify --man=no --recursive-errors=no "gltoken-$u.service" "gltoken-$u.timer"
		hides "gltoken-$u.*(Unknown|ignoring|not executable|Failed)"
	done
}

# 0 is a wall, 10 an open door.
test_exposure() {
	local pair
	for pair in auth@:35 backup:25 http:70 notify:70 reap:15 sync:35; do
		ok systemd-analyze security --offline=yes --threshold="${pair#*:}" "gltoken-${pair%:*}.service"
	done
	rc 1 systemd-analyze security --offline=yes --threshold=1 gltoken-reap.service
}

# What the units leave of the file system and of root's rights is enough.
sandboxed() { # SETPRIV OPTION... -- COMMAND
	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount --net bash -euc '
		for d in /var/lib/gltoken /var/backups; do mount --bind $d $d; done
		mount -o remount,bind,ro /
		mount -o remount,ro /run
		if touch /etc/x 2>/dev/null; then exit 99; fi
		exec setpriv "$@"' - "$@"
}

test_sandbox_suffices() {
	mkdir -p /var/backups
	ok sandboxed --no-new-privs --bounding-set=-all,+chown,+setuid,+setgid --inh-caps=-all gltoken backup
	says 'Backed up and verified'
	ok sandboxed --no-new-privs --bounding-set=-all --inh-caps=-all --reuid gltoken --regid gltoken --clear-groups \
		gltoken reap
	no sandboxed --no-new-privs --bounding-set=-all,+setuid,+setgid --inh-caps=-all gltoken backup
	rm -r "$BACKUPS"
}

test_reap_needs_no_root() {
	ok setpriv --reuid gltoken --regid gltoken --clear-groups gltoken reap
	says '0 tokens removed'
}

test_cron_lines() {
	ok sed -n 's/^[0-9*]* *[0-9*]* *[0-9*]* *[0-9*]* *[0-9*]*  root  //p' "$SHIPPED/cron.d/gltoken"
	cp "$T/out" "$T/lines"
	[ "$(wc -l <"$T/lines")" = 3 ] || fail "not three lines: $(outcome)"
	local line
	while read -r line; do
		ok sh -c "$line"
		[ ! -s "$T/out" ] || fail "good news make a mail: $(outcome)"
	done <"$T/lines"
	chmod 0 /var/lib/gltoken/store/key
	ok sh -c "$(head -n 1 "$T/lines")"
	chmod 600 /var/lib/gltoken/store/key
	[ -s "$T/out" ] || fail "bad news make none"
}

backups() {
	find "$BACKUPS" -name 'gltoken-*.backup' | wc -l
}

test_backups_are_rotated() {
	rm -rf "$BACKUPS"
	ok gltoken backup
	[ "$(stat -c '%U %a' "$BACKUPS")" = 'root 700' ] || fail "$(stat -c '%U %a' "$BACKUPS")"
	[ "$(stat -c '%U %a' "$BACKUPS"/*)" = 'root 600' ] || fail "$(stat -c '%U %a' "$BACKUPS"/*)"
	local first day
	first=$(find "$BACKUPS" -name 'gltoken-20[0-9][0-9][01][0-9][0-3][0-9]T[0-9][0-9][0-9][0-9][0-9][0-9]Z.backup')
	[ -n "$first" ] || fail "$(ls "$BACKUPS")"
	echo mine >"$BACKUPS/notes"
	echo mine >"$BACKUPS/gltoken-20000101T000000Z.backup"
	for day in {1..15}; do ok timeout 30 faketime -f "+${day}d" gltoken backup; done
	# 14 and the one that is none.
	[ "$(backups)" = 15 ] || fail "there are $(backups)"
	[ ! -e "$first" ] || fail "the oldest is still there"
	[ "$(cat "$BACKUPS/notes")" = mine ] || fail "something else was removed"
	[ -e "$BACKUPS/gltoken-20000101T000000Z.backup" ] || fail "what is no backup was removed"
	ok gltoken restore "$(find "$BACKUPS" -name 'gltoken-2*.backup' -size +4k | sort | tail -n 1)" --force
	printf '[backup]\nkeep = 3\n' >"$CONF"
	ok timeout 30 faketime -f +16d gltoken backup
	[ "$(backups)" = 4 ] || fail "there are $(backups)"
	# A name of one's own is not rotated.
	ok gltoken backup "$BACKUPS/mine"
	[ "$(backups)" = 4 ] || fail "there are $(backups)"
}

test_what_a_killed_backup_left() {
	local left
	rm -rf "$BACKUPS" "$CONF"
	run timeout 30 strace -f -o "$T/trace" -e inject=fchown:signal=SIGKILL:when=2 gltoken backup
	[ "$RC" != 0 ] || fail "it was not killed: $(outcome)"
	left=$(find "$BACKUPS" -name '.gltoken-*')
	[ -f "$left" ] || fail "nothing is left: $(ls -la "$BACKUPS")"
	ok gltoken backup
	[ -f "$left" ] || fail "it may still have been written"
	touch -d '25 hours ago' "$left"
	echo mine >"$BACKUPS/.gltoken-notes"
	touch -d '25 hours ago' "$BACKUPS/.gltoken-notes"
	ok gltoken backup
	[ ! -e "$left" ] || fail "it is still there: $(ls -la "$BACKUPS")"
	[ -e "$BACKUPS/.gltoken-notes" ] || fail "something else was removed"
}

test_backup_folder() {
	printf '[backup]\ndir = %s/b\n' "$T" >"$CONF"
	chown root: "$T"
	mkdir -m 777 "$T/b"
	rc 3 gltoken backup
	says 'must be a folder of root that nobody else can write'
	chmod 700 "$T/b"
	chown dev "$T/b"
	rc 3 gltoken backup
	rmdir "$T/b"
	printf '[backup]\ndir = %s/b/c\n' "$T" >"$CONF"
	rc 3 gltoken backup
	says "cannot make $T/b/c"
	printf '[backup]\nkeep = 0\n' >"$CONF"
	rc 3 gltoken backup
	says "keep: '0' must be a number from 1"
	rm "$CONF"
	rc 3 as_dev gltoken backup
	[ ! -e /home/dev/gltoken ] || fail "dev has one"
}

e2e_main "$@"
