#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# backup and restore: nothing that was taken away since comes back, nothing is used twice, no half of a file counts.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

STATE=/var/lib/gltoken
HELPER=/usr/libexec/gltoken/gltoken-auth

setup() {
	e2e_host
}

# Each test goes on from the store that setup left.
fresh_store() {
	rm -rf "${STATE:?}"/store*
	gltoken init
	gltoken repo create demo/hello 2>/dev/null || true
	local m
	for m in 'alice developer' 'bob reporter'; do
		# shellcheck disable=SC2086 # words
		gltoken member set demo $m
	done
}

last_logged() {
	log_settles
	sed -nE 's/.*event=audit seq=([0-9]+) head=([0-9a-f]{64})$/\1:\2/p' "$SSHD_DIR/syslog" | tail -n 1
}

state() { # ID
	gltoken show "$1" --json | jq -r .state
}

is() { # ID STATE
	[ "$(state "$1")" = "$2" ] || fail "token $1 is $(state "$1"), not $2"
}

works_now() { # SECRET
	client keyboard-interactive "$1"
	ok ssh_ git@host
}

denied_now() { # SECRET
	client keyboard-interactive "$1"
	no ssh_ git@host
}

test_one_file_for_root_alone() {
	fresh_store
	new_token --user alice --scope read_repository
	ok gltoken backup "$T/b"
	says 'Backed up and verified: [0-9]+ bytes, up to event [0-9]+:[0-9a-f]{64}'
	[ "$(stat -c '%U %G %a %F' "$T/b")" = 'root root 600 regular file' ] || fail "$(stat -c '%U %G %a %F' "$T/b")"
	[ "$(find "$T" -name '.b*' | wc -l)" = 0 ] || fail "a temporary file is left"
	logged 'event=backup seq=[0-9]+ actor=.*root.* file=.*/b'
	if grep -aq -- "${TOKEN#*-}" "$T/b"; then fail "the secret stands in it"; fi
	# A relative name, and again over the last one.
	(cd "$T" && ok gltoken backup b)
	ok gltoken backup "$T/b" --json
	jq -e --arg file "$T/b" '.file == $file and .bytes > 4096 and .changed' "$T/out" >/dev/null || fail "$(outcome)"
	ok gltoken audit verify --head "$(jq -r '"\(.seq):\(.head)"' "$T/out")"
	# It is an LMDB file: its own tool can read it.
	! command -v mdb_stat >/dev/null || ok mdb_stat -n "$T/b"
}

test_only_a_backup_is_replaced() {
	fresh_store
	echo precious >"$T/file"
	rc 1 gltoken backup "$T/file"
	says 'is no backup of gltoken: nothing was written'
	[ "$(cat "$T/file")" = precious ] || fail "it was written over"
	ln -s "$T/file" "$T/link"
	rc 3 gltoken backup "$T/link"
	[ "$(cat "$T/file")" = precious ] || fail "it was written over"
	rc 3 gltoken backup "$T/no/such/folder"
	rc 2 gltoken backup a b
	rc 2 gltoken backup "$T/"
	rc 3 as_dev gltoken backup /home/dev/b
	[ ! -e /home/dev/b ] || fail "dev has a backup"
}

test_full_disk() {
	fresh_store
	mkdir "$T/small"
	mount -t tmpfs -o size=16k tmpfs "$T/small"
	run gltoken backup "$T/small/b"
	local left
	left=$(find "$T/small" -type f | wc -l)
	umount "$T/small"
	[ "$RC" = 3 ] || fail "should be 3: $(outcome)"
	says 'cannot copy the store'
	[ "$left" = 0 ] || fail "half a backup is left"
}

# Issuing goes on all the time, and every backup made meanwhile is a whole one.
test_while_in_use() {
	fresh_store
	new_token --user alice --scope read_repository
	client keyboard-interactive "$TOKEN"
	(for i in {1..40}; do gltoken issue --user alice --name "b-$i" --scope read_repository >/dev/null 2>&1 || echo failed; done) \
		>"$T/issued" &
	for i in 1 2 3 4; do
		ok gltoken backup "$T/b$i"
		ok ssh_ git@host
	done
	wait
	[ ! -s "$T/issued" ] || fail "issue failed beside a backup"
	for i in 1 4; do
		ok gltoken restore "$T/b$i" --force
		ok gltoken check
		ok gltoken audit verify
	done
}

test_round_trip() {
	fresh_store
	new_token --user alice --scope write_repository
	local token=$TOKEN id=$ID
	ok gltoken backup "$T/b"
	rm -rf "$STATE"/store
	no gltoken list
	ok gltoken restore "$T/b" --head "$(last_logged)"
	hides paused
	is "$id" active
	works_now "$token"
	ok gltoken check
	ok gltoken audit verify --head "$(last_logged)"
	[ "$(stat -c '%U %a' "$STATE/store")" = 'gltoken 700' ] || fail "the folder is not gltoken's alone"
	[ "$(stat -c '%U %a' "$STATE/store/key" "$STATE/store/store.mdb" | sort -u)" = 'gltoken 600' ] || fail "the files"
	[ "$(find "$STATE" -maxdepth 1 -name 'store?*' | wc -l)" = 0 ] || fail "something is left: $(ls "$STATE")"
	ok gltoken audit list --action store.restore --json
	[ "$(jq -r '.[].object' "$T/out")" = b ] || fail "the restore is not in the log: $(outcome)"
}

test_onto_a_new_host() {
	fresh_store
	new_token --user alice --scope write_repository
	ok gltoken backup "$T/b"
	mv "$STATE" "$STATE.away"
	ok gltoken restore "$T/b" --head "$(last_logged)"
	local owner
	owner=$(stat -c '%U %a' "$STATE")
	ok gltoken check
	rm -rf "$STATE"
	mv "$STATE.away" "$STATE"
	[ "$owner" = 'root 755' ] || fail "$STATE is $owner"
}

test_not_over_a_store() {
	fresh_store
	ok gltoken backup "$T/b"
	new_token --user alice --scope read_repository
	rc 1 gltoken restore "$T/b"
	says 'there is a store .*--force'
	is "$ID" active
	ok gltoken restore "$T/b" --force
	says "The old store is kept in $STATE/store.before-"
	rc 1 gltoken show "$ID"
	[ "$(find "$STATE" -maxdepth 1 -name 'store.before-*' | wc -l)" = 1 ] || fail "the old one is not kept"
	rc 3 as_dev gltoken restore "$T/b" --force
}

# Nothing is known of the time since: all that could be used waits for somebody to look at it.
test_without_knowledge_all_is_paused() {
	fresh_store
	new_token --user alice --scope write_repository
	local live=$ID token=$TOKEN revoked expired paused
	new_token --user bob --scope read_repository
	revoked=$ID
	gltoken revoke "$revoked"
	new_token --user bob --scope read_repository --expires 30d
	expired=$ID
	gltoken expire "$expired" --at now
	new_token --project demo/hello --role developer --scope api
	paused=$ID
	gltoken edit "$paused" --pause
	ok gltoken backup "$T/b"
	ok gltoken revoke "$live"
	ok gltoken restore "$T/b" --force
	says "^ +$live +alice/.* paused "
	hides "^ +($revoked|$expired|$paused) "
	says '^ +- +alice +blocked|^ *alice +blocked'
	denied_now "$token"
	logged 'reason=(paused|owner_blocked)'
	is "$live" paused
	is "$revoked" revoked
	is "$paused" paused
	ok gltoken user list --json
	[ "$(jq -r '[.[] | select(.username == "alice" or .username == "bob") | .state] | unique | join(",")' "$T/out")" = blocked ] ||
		fail "they are not blocked: $(outcome)"
	ok gltoken edit "$live" --resume
	ok gltoken user unblock alice
	works_now "$token"
	ok gltoken audit verify
	says 'a backup was restored'
	# As JSON, for a program that goes through them.
	ok gltoken restore "$T/b" --force --json
	[ "$(jq --argjson id "$live" '[.[] | select(.token == $id) | .now] == ["paused"]' "$T/out")" = true ] ||
		fail "not so: $(outcome)"
}

test_nothing_dead_comes_back() {
	fresh_store
	local -A id text
	local n
	for n in revoked rotated once narrowed paused resumed kept; do
		case $n in
		once) new_token --user alice --scope read_repository --max-uses 1 ;;
		*) new_token --user alice --scope write_repository ;;
		esac
		id[$n]=$ID text[$n]=$TOKEN
	done
	new_token --user bob --scope read_repository
	local bobs=$TOKEN key
	key=$(new_key)
	gltoken key add alice "$key.pub"
	gltoken edit "${id[resumed]}" --pause
	ok gltoken backup "$T/b"

	gltoken revoke "${id[revoked]}" --reason leaked
	local successor
	successor=$(gltoken rotate "${id[rotated]}" --overlap 24h --expires 30d 2>/dev/null)
	works_now "${text[once]}"
	gltoken scope "${id[narrowed]}" --set read_repository
	gltoken edit "${id[paused]}" --pause
	gltoken edit "${id[resumed]}" --resume
	gltoken user block bob --reason gone
	gltoken key remove "$(gltoken key list --json | jq -r '.[0].id')"
	gltoken member set demo alice reporter
	gltoken protect demo/hello main --push maintainer
	new_token --user alice --scope read_repository
	local late=$TOKEN
	gltoken audit export >"$T/export"
	local head
	head=$(last_logged)

	ok gltoken restore "$T/b" --force --replay-audit "$T/export" --head "$head"
	is "${id[revoked]}" revoked
	is "${id[rotated]}" revoked
	is "${id[once]}" 'used up'
	is "${id[narrowed]}" paused
	is "${id[paused]}" paused
	is "${id[resumed]}" active
	is "${id[kept]}" active
	[ "$(gltoken show "${id[revoked]}" --json | jq -r .revoked_why)" = leaked ] || fail "the reason is lost"
	for n in revoked rotated once narrowed paused; do denied_now "${text[$n]}"; done
	denied_now "$bobs"
	denied_now "$successor"
	denied_now "$late"
	works_now "${text[kept]}"
	works_now "${text[resumed]}"
	[ "$(gltoken key list --json | jq length)" = 0 ] || fail "the key is back"
	ok gltoken member list demo/hello --json
	[ "$(jq -r '.[] | select(.principal == "alice") | .role' "$T/out")" = reporter ] || fail "the old role is back: $(outcome)"
	ok gltoken protect demo/hello --list --raw
	says maintainer
	ok gltoken audit verify --head "$head" --head "$(last_logged)"
	ok gltoken check
	[ "$(gltoken audit export | head -n "$(wc -l <"$T/export")" | cmp - "$T/export" && echo same)" = same ] ||
		fail "the log does not go on from what was replayed"
}

test_replay_must_be_whole_and_true() {
	fresh_store
	new_token --user alice --scope read_repository
	ok gltoken backup "$T/b"
	gltoken revoke "$ID" --reason leaked
	gltoken user block bob
	gltoken user unblock bob
	gltoken audit export >"$T/export"
	local n head
	n=$(wc -l <"$T/export")
	head=$(last_logged)

	sed "$((n - 1))d" "$T/export" >"$T/gap"
	rc 1 gltoken restore "$T/b" --force --replay-audit "$T/gap"
	says "event $((n - 1)) is missing"
	sed 's/"leaked"/"nothing"/' "$T/export" >"$T/forged"
	rc 3 gltoken restore "$T/b" --force --replay-audit "$T/forged"
	says "event $((n - 2)) does not have the hash"
	sed '$d' "$T/export" >"$T/short"
	rc 1 gltoken restore "$T/b" --force --replay-audit "$T/short" --head "$head"
	says "the audit log ends with event $((n - 1))"
	rc 1 gltoken restore "$T/b" --force --head "$head"
	says 'backup ends with event'
	head -n 2 "$T/export" >"$T/older"
	rc 1 gltoken restore "$T/b" --force --replay-audit "$T/older"
	says 'ends with event 2, before the backup'
	tac "$T/export" >"$T/backwards"
	rc 1 gltoken restore "$T/b" --force --replay-audit "$T/backwards"
	echo '{"seq": 1}' >"$T/junk"
	rc 1 gltoken restore "$T/b" --force --replay-audit "$T/junk"
	echo junk >"$T/junk"
	rc 1 gltoken restore "$T/b" --force --replay-audit "$T/junk"
	: >"$T/empty"
	rc 1 gltoken restore "$T/b" --force --replay-audit "$T/empty"
	rc 1 gltoken restore "$T/b" --force --replay-audit "$T/none"
	# Another store's log.
	cp -a "$STATE/store" "$T/store"
	fresh_store
	gltoken user block bob
	for n in 1 2 3 4; do gltoken user unblock bob; gltoken user block bob; done
	gltoken audit export >"$T/others"
	rm -rf "$STATE/store"
	cp -a "$T/store" "$STATE/store"
	rc 1 gltoken restore "$T/b" --force --replay-audit "$T/others"
	says "another store"
	# and none of it has touched the store
	is "$ID" revoked
	[ "$(find "$STATE" -maxdepth 1 -name 'store?*' | wc -l)" = 0 ] || fail "something is left: $(ls "$STATE")"
	ok gltoken audit verify --head "$head"
}

test_damaged_and_newer() {
	fresh_store
	new_token --user alice --scope read_repository
	ok gltoken backup "$T/b"
	local size where
	size=$(stat -c %s "$T/b")
	for where in 20 200 5000 $((size / 2)) $((size - 250)) $((size - 150)) $((size - 1)); do
		cp "$T/b" "$T/bad"
		printf '\xa5' | dd of="$T/bad" bs=1 seek="$where" conv=notrunc status=none
		cmp -s "$T/b" "$T/bad" && continue
		run gltoken restore "$T/bad" --force
		[ "$RC" = 3 ] || [ "$RC" = 1 ] || fail "byte $where: $(outcome)"
		says 'damaged|no backup of gltoken|newer'
	done
	head -c $((size - 4096)) "$T/b" >"$T/bad"
	rc 3 gltoken restore "$T/bad" --force
	says 'bad: this is no backup of gltoken, or it was cut short'
	{ cat "$T/b"; echo; } >"$T/bad"
	rc 3 gltoken restore "$T/bad" --force
	: >"$T/bad"
	rc 3 gltoken restore "$T/bad" --force
	rc 3 gltoken restore "$T" --force
	rc 3 gltoken restore /dev/null --force
	# A version that is not known yet: told before anything else.
	cp "$T/b" "$T/new"
	printf '\x02' | dd of="$T/new" bs=1 seek=$((size - 256 + 23)) conv=notrunc status=none
	rc 1 gltoken restore "$T/new" --force
	says 'made by a newer gltoken'
	is "$ID" active
	[ "$(find "$STATE" -maxdepth 1 -name 'store?*' | wc -l)" = 0 ] || fail "something is left: $(ls "$STATE")"
}

# One request to the helper, a line an argument.
ask() { # ok|run LINE...
	local how=$1 request
	shift
	request=$(printf '%s\n' "$@" '' && echo .)
	INPUT=${request%.} "$how" "$HELPER"
}

ticket_of() { # SECRET
	ask ok verb=verify "secret=$1" account=git service=sshd
	sed -n 's/^ticket=//p' "$T/out"
}

test_numbers_and_tickets() {
	fresh_store
	new_token --user alice --scope write_repository
	ok gltoken backup "$T/b"
	local before=$ID ticket
	ticket=$(ticket_of "$TOKEN")
	ok gltoken restore "$T/b" --force --head "$(last_logged)"
	ask run verb=authorize "ticket=$ticket" account=git operation=pull repository=demo/hello
	grep -qx reason=bad_ticket "$T/out" || fail "the old ticket is good: $(outcome)"
	new_token --project demo/hello --role developer --scope read_repository
	[ "$ID" -gt $((before + 1000000)) ] || fail "token $ID may have been given out since"
	ok gltoken show "$ID" --json
	[[ $(jq -r .user "$T/out") =~ ^project_[0-9]+_bot_ ]] || fail "no bot: $(outcome)"
}

# A change that had the old store open must not end in it unseen.
test_a_writer_at_that_moment() {
	fresh_store
	ok gltoken backup "$T/b"
	local head
	head=$(last_logged)
	(for i in {1..60}; do gltoken issue --user alice --name "w-$i" --scope read_repository --json 2>>"$T/err.w" || true; done) \
		>"$T/written" &
	sleep 0.3
	ok gltoken restore "$T/b" --force
	wait
	ok gltoken list --state all --json --limit 100000
	cp "$T/out" "$T/list"
	local old
	old=$(find "$STATE" -maxdepth 1 -name 'store.before-*')
	mkdir "$T/x"
	# Each that was reported as issued is in the store, or was so before it was put away.
	cp -a "$STATE/store" "$T/x/new"
	rm -rf "$STATE/store"
	cp -a "$old" "$STATE/store"
	ok gltoken list --state all --json --limit 100000
	jq -s 'add | map(.id)' "$T/list" "$T/out" >"$T/ids"
	jq -s 'map(.id)' "$T/written" | jq --slurpfile ids "$T/ids" -e '. - $ids[0] == []' >/dev/null ||
		fail "some are in neither"
}

# Each old store is kept, also of restores within one second.
test_restores_of_one_second() {
	local now
	now=$(date '+%Y-%m-%d %H:%M:%S')
	fresh_store
	ok gltoken backup "$T/b"
	rm -rf "$STATE"/store.before-*
	for _ in 1 2 3; do ok timeout 30 faketime -f "$now" gltoken restore "$T/b" --force; done
	[ "$(find "$STATE" -maxdepth 1 -name 'store.before-*' | wc -l)" = 3 ] || fail "$(ls "$STATE")"
	[ ! -e "$STATE/store.new" ] || fail "it is left where the next one has to go"
}

e2e_main "$@"
