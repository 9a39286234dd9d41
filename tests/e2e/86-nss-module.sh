#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# libnss_gltoken itself: each of its functions by call, what a damaged or forged snapshot does, and what happens while
# others publish.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

STATE=/var/lib/gltoken
SNAPSHOT=$STATE/public/nss.cdb

setup() {
	sed -i -E 's/^(passwd|group|shadow):.*/& gltoken/' /etc/nsswitch.conf
	mkdir -p /etc/gltoken
	printf '[nss]\nuids = range\ngroups = yes\n' >/etc/gltoken/gltoken.conf
	gltoken init
	gltoken repo create demo/hello
	local n
	for n in {1..8}; do gltoken user add "stays$n" --display "number $n"; done
	gltoken user add state --display 'state 0 0'
	gltoken member set demo stays1 developer
	gltoken member set demo state maintainer
	gltoken publish
	build
}

build() {
	local n
	for n in protocol damage readers; do
		cc -O1 -g -Wall -Wextra -D_GNU_SOURCE -o "$E2E_DIR/$n" "$TESTS/nss/$n.c"
	done
	for n in republish forge; do e2e_cc_core "$E2E_DIR/$n" "$TESTS/nss/$n.c"; done
}

forge() { # COUNT [NAME:NUMBER]...
	"$E2E_DIR/forge" "$SNAPSHOT" "$@"
	chown gltoken "$SNAPSHOT"
}

answers() {
	ok "$E2E_DIR/damage" "$MODULE" "$SNAPSHOT" --print
}

republished() { # a test may leave the snapshot as it likes
	rm -f "$SNAPSHOT"
	gltoken publish >/dev/null
}

test_protocol() {
	republished
	ok getent -s gltoken group
	says '^gl_project_1:x:[0-9]+:state,stays1$'
	ok "$E2E_DIR/protocol" "$MODULE" stays1 gl_project_1
}

test_range_gives_each_a_uid() {
	local uid
	republished
	uid=$(id -u stays1)
	[ "$uid" -ge 70000 ] || fail "uid $uid"
	ok getent passwd "$uid"
	says '^stays1:'
	touch "$T/f"
	chown stays1:gl_project_1 "$T/f"
	ok ls -l "$T/f"
	says ' stays1 gl_project_1 '
	ok id stays1
	says "groups=[0-9]+\(git\),[0-9]+\(gltoken\),[0-9]+\(gl_project_1\)$"
}

test_groups_follow_memberships() {
	useradd -m alice
	groupadd crew
	usermod -aG crew alice
	ok gltoken member set demo/hello @crew developer
	ok id alice
	says 'gl_project_1'
	usermod -G '' alice
	ok gltoken user sync --dry-run
	ok id alice
	says 'gl_project_1'
	ok gltoken user sync
	ok id alice
	hides 'gl_project_1'
	usermod -aG crew alice
	ok gltoken publish
	ok gltoken member set demo/hello @crew reporter
	ok id alice
	hides 'gl_project_1'
	ok gltoken member set demo alice owner
	ok id alice
	says 'gl_project_1'
	ok gltoken user block alice
	ok id alice
	hides 'gl_project_1'
	ok gltoken member remove demo alice
	ok gltoken member set demo root owner
	ok id root
	hides 'gl_'
}

# A number that was given stays given, whatever becomes of the store.
test_no_number_is_given_twice() {
	local backup=$T/backup first again
	republished
	ok gltoken backup "$backup"
	ok gltoken user add early
	first=$(id -u early)
	ok gltoken restore "$backup" --force
	no id early
	ok gltoken user add late
	again=$(id -u late)
	[ "$again" -gt "$first" ] || fail "late has $again, early had $first"
	ok gltoken user remove late
	ok gltoken user add late
	[ "$(id -u late)" -gt "$again" ] || fail "a removed user's uid was given again"
	ok gltoken user unblock stays1
	ok gltoken user unblock state
}

test_a_range_that_is_in_use_is_refused() {
	local conf=/etc/gltoken/gltoken.conf line
	cp $conf "$T/conf"
	useradd -u 80000 -M inrange
	rc 1 gltoken publish
	says "uid_min 70000 to uid_max 99999 overlaps account 'inrange' \(80000\)"
	rc 1 gltoken config check
	says "overlaps account 'inrange'"
	userdel inrange
	groupadd -g 80001 ingroup
	rc 1 gltoken publish
	says "overlaps group 'ingroup'"
	groupdel ingroup
	cp /etc/subuid "$T/subuid" 2>/dev/null || : >"$T/subuid"
	printf 'someone:99999:1' >>/etc/subuid # by an editor that leaves the last line without its end
	rc 1 gltoken publish
	says "overlaps /etc/subuid 'someone'"
	cp "$T/subuid" /etc/subuid
	for line in 'uid_min = 999' $'uid_min = 60000\nuid_max = 65534' $'uid_min = 65535\nuid_max = 66000'; do
		{ cat "$T/conf"; echo "$line"; } >$conf
		rc 1 gltoken publish
		says 'must begin at 1000 or above'
		rc 1 gltoken config check
		says 'must begin at 1000 or above'
	done
	cp "$T/conf" $conf
	ok gltoken publish
}

test_a_number_of_a_directory_is_left_out() {
	local next
	republished
	next=$(($(awk '{ if ($1 > n) n = $1 } END { print n }' $STATE/public/numbers) + 1))
	# Not in /etc/passwd when root looked, but known to NSS when the number is to be given.
	ok gltoken publish
	echo "ldap:x:$next:100::/:/bin/false" >>/etc/passwd
	as_gltoken gltoken user add beside
	sed -i '/^ldap:/d' /etc/passwd
	[ "$(id -u beside)" = $((next + 1)) ] || fail "beside has $(id -u beside), $next was taken"
}

as_gltoken() {
	setpriv --reuid gltoken --regid gltoken --clear-groups "$@"
}

# ---- damage ----

test_every_byte_changed_and_every_length_cut() {
	republished
	ok "$E2E_DIR/damage" "$MODULE" "$SNAPSHOT"
	says 'changes were seen'
	cat "$T/out"
	republished
	ok "$E2E_DIR/damage" "$MODULE" $STATE/nss.limits
	says 'changes were seen'
}

silent() { # WHAT
	answers
	[ ! -s "$T/out" ] || fail "$1: $(outcome)"
	no getent -s gltoken passwd stays1
	ok getent passwd git
	no id stays1
}

test_missing_or_foreign_files() {
	republished
	mv "$SNAPSHOT" "$T/kept"
	silent 'no snapshot'
	ln -s "$T/kept" "$SNAPSHOT"
	silent 'a symlink'
	rm "$SNAPSHOT"
	mkfifo "$SNAPSHOT"
	silent 'a FIFO'
	rm "$SNAPSHOT"
	mkdir "$SNAPSHOT"
	silent 'a folder'
	rmdir "$SNAPSHOT"
	cp "$T/kept" "$SNAPSHOT"
	chown nobody "$SNAPSHOT"
	silent "somebody's"
	chown gltoken "$SNAPSHOT"
	chmod 664 "$SNAPSHOT"
	silent 'writable by the group'
	chmod 646 "$SNAPSHOT"
	silent 'writable by all'
	chmod 600 "$SNAPSHOT"
	no setpriv --reuid nobody --regid nogroup --clear-groups getent -s gltoken passwd stays1
	chmod 644 "$SNAPSHOT"
	answers
	says stays1
	chown gltoken $STATE/nss.limits
	silent "limits of gltoken's"
	chown root $STATE/nss.limits
	mv $STATE/nss.limits "$T/limits"
	silent 'no limits'
	mv "$T/limits" $STATE/nss.limits
	republished
	answers
	says stays1
}

# Whatever stands in the snapshot, with sums that are right.
test_a_forged_snapshot_gives_nothing_of_the_systems() {
	local names=() name
	mapfile -t names < <(awk -F: '$3 < 1000 || $3 == 65534 { print $1 ":70500" }' /etc/passwd)
	[ ${#names[@]} -gt 10 ] || fail 'hardly a system'
	forge 2 "${names[@]}" low:999 zero:0 minus:4294967295 nobodys:65534 above:100000 12345:70501 'a:70502' 'x/y:70503' \
		@gl_project_1:0 @gl_project_2:27 @gl_project_3:70600 @sudo:70601 @root:0
	answers
	[ "$(cut -d: -f1 "$T/out" | sort | tr '\n' ' ')" = 'a gl_project_3 user0 user1 ' ] || fail "other names: $(outcome)"
	for name in root daemon git gltoken; do
		no getent -s gltoken passwd "$name"
		no getent -s gltoken shadow "$name"
	done
	no getent -s gltoken passwd 0
	no getent -s gltoken group 0
	no getent -s gltoken group 27
	no getent -s gltoken group sudo
	republished
}

test_a_forged_snapshot_cannot_choose_the_shared_uid() {
	cp /etc/gltoken/gltoken.conf "$T/conf"
	: >/etc/gltoken/gltoken.conf
	gltoken publish
	forge 1 'taken:0' 'alices:1000' @gl_project_1:70600
	answers
	[ "$(cut -d: -f2,3 "$T/out" | sort -u)" = "$(id -u git):$(id -g git)" ] || fail "other ids: $(outcome)"
	hides gl_project
	no getent -s gltoken passwd 1000
	cp "$T/conf" /etc/gltoken/gltoken.conf
	republished
}

# ---- publishing ----

test_readers_while_others_publish() {
	local from readers rc=0
	republished
	from=$SECONDS
	"$E2E_DIR/readers" "$MODULE" "$T/stop" state gl_project_1 >"$T/readers" 2>&1 &
	readers=$!
	LIMIT=120 ok as_gltoken "$E2E_DIR/republish" 10000 state
	touch "$T/stop"
	wait $readers || rc=$?
	[ $rc = 0 ] || fail "readers: $(sort "$T/readers" | uniq -c)"
	echo "10000 times in $((SECONDS - from)) s: $(cat "$T/readers")"
	ok getent passwd state
	says ':state 10000 10000:'
}

test_publishers_at_once_end_with_the_last_state() {
	local n
	for n in {1..6}; do gltoken user add "once$n" >/dev/null 2>&1 & done
	wait
	for n in {1..6}; do ok getent passwd "once$n"; done
	[ -z "$(find $STATE/public -name '*.new')" ] || fail "something was left: $(ls $STATE/public)"
}

test_a_publish_that_fails_leaves_the_old_one() {
	republished
	mount -t tmpfs -o size=64k full $STATE/public
	cp -p /dev/null $STATE/public/x
	chown gltoken $STATE/public
	head -c 60K /dev/zero >$STATE/public/fill || true
	rc 0 gltoken user add unlucky
	says 'done, but accounts are not published'
	umount $STATE/public
	no getent passwd unlucky
	ok getent passwd stays1
	ok gltoken publish
	ok getent passwd unlucky
}

test_the_public_folder_is_made_right() {
	ok stat -c '%U:%G %a' $STATE/public $STATE/nss.limits "$SNAPSHOT"
	[ "$(tr '\n' ' ' <"$T/out")" = 'gltoken:gltoken 755 root:root 644 gltoken:gltoken 644 ' ] || fail "$(outcome)"
	chmod 777 $STATE/public
	ok gltoken publish
	[ "$(stat -c %a $STATE/public)" = 755 ] || fail 'not set right'
}

TESTS=$(cd "$(dirname "$0")/.." && pwd)
MODULE=$(find /usr/lib /lib -name libnss_gltoken.so.2 | head -n 1)
e2e_main "$@"
