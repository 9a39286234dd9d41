#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Many at once, and a store that is missing, from the future, read only, full or damaged.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

STATE=/var/lib/gltoken

setup() {
	e2e_host
	e2e_tool newer-schema
}

# What can go wrong with the store, one at a time: nobody comes in, the log says why, and so does the CLI, with
# status 3.
unavailable() { # ERE OF THE CLI'S MESSAGE
	no ssh_ git@host
	says 'Permission denied'
	logged 'decision=deny .*reason=(unavailable|damaged_record)|reason=(unavailable|damaged_record) .*decision=deny'
	rc 3 gltoken list
	says "$1"
	[ "$(wc -l <"$T/err")" -le 3 ] || fail "not a clean message: $(outcome)"
	rc 3 gltoken issue --name x --user alice --scope api
	hides 'glpat-'
}

works() {
	ok ssh_ git@host
	ok gltoken list
	ok gltoken check
}

# A test may break $STATE: what stands there now is put back, whatever happens.
restored_at_end() {
	cp -a "$STATE" "$T/state"
	trap restore EXIT
}

restore() {
	while mountpoint -q "$STATE"; do umount "$STATE"; done
	rm -rf "$STATE/store"
	cp -a "$T/state/store" "$STATE/"
}

good_client() {
	new_token --user alice --scope write_repository
	client keyboard-interactive "$TOKEN"
	works
}

test_two_shells_issue_at_once() {
	local before i
	before=$(gltoken list --state all --json | jq '[.. | objects | select(has("id"))] | length')
	for i in a b; do
		(for n in {1..25}; do
			gltoken issue --name "at-once-$i-$n" --user alice --scope read_repository --json || echo failed
		done) >"$T/issued.$i" 2>&1 &
	done
	wait
	[ "$(cat "$T"/issued.? | jq -r .token | sort -u | wc -l)" = 50 ] || fail "not 50 tokens: $(cat "$T"/issued.?)"
	[ "$(cat "$T"/issued.? | jq -r .id | sort -u | wc -l)" = 50 ] || fail "ids are not unique"
	ok gltoken list --state all --json
	[ "$(jq '[.. | objects | select(has("id"))] | length' "$T/out")" = $((before + 50)) ] || fail "some were lost"
	# Each of them is whole.
	for i in 1 20 50; do
		cat "$T"/issued.? | jq -r .token | sed -n "${i}p" >"$T/token"
		INPUT=$(cat "$T/token") ok gltoken explain --stdin --repo demo/hello --op pull
	done
	ok gltoken check
}

test_the_same_name_at_once() {
	for _ in {1..6}; do
		gltoken issue --name only-one --user alice --scope read_repository >>"$T/tokens" 2>/dev/null &
	done
	wait
	[ "$(wc -l <"$T/tokens")" = 1 ] || fail "$(wc -l <"$T/tokens") tokens have the same name"
}

test_eight_logins_at_once() {
	local i pids=() bad=0
	for i in {1..8}; do
		new_token --user alice --scope write_repository
		mkdir "$T/$i"
		chown dev: "$T/$i"
		login_in "$T/$i" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i" || bad=$((bad + 1)); done
	[ "$bad" = 0 ] || fail "$bad of 8 logins failed"
	log_settles
	[ "$(log_since | grep -cE 'event=login .*decision=allow')" = 8 ] || fail "the log lost some: $(log_since)"
}

login_in() { # FOLDER
	T=$1
	client password "$TOKEN"
	ok git_ ls-remote git@host:demo/hello.git
}

test_logins_and_changes_at_once() {
	new_token --user alice --scope write_repository
	client password "$TOKEN"
	(for n in {1..30}; do gltoken issue --name "beside-$n" --user bob --scope read_repository; done) >"$T/beside" 2>&1 &
	local issuing=$!
	for _ in {1..8}; do ok git_ ls-remote git@host:demo/hello.git; done
	wait "$issuing"
	[ "$(grep -c '^glpat-' "$T/beside")" = 30 ] || fail "issuing failed: $(cat "$T/beside")"
	ok gltoken check
}

test_missing() {
	good_client
	restored_at_end
	rm -r "$STATE/store"
	unavailable 'gltoken init'
	restore
	works
}

test_newer_schema() {
	good_client
	restored_at_end
	setpriv --reuid gltoken --regid gltoken --clear-groups "$E2E_DIR/newer-schema" "$STATE/store"
	unavailable 'as gltoken 99.1 writes it; this is gltoken [0-9.]+, which reads up to schema [0-9]+'
	restore
	works
}

test_read_only() {
	good_client
	restored_at_end
	mount --bind "$STATE" "$STATE"
	mount -o remount,bind,ro "$STATE"
	rc 3 gltoken issue --name x --user alice --scope api
	hides 'glpat-'
	says 'read-only|Read-only|read only'
	rc 3 gltoken revoke "$ID"
	restore
	works
}

test_full_disk() {
	local had i
	good_client
	restored_at_end
	mount -t tmpfs -o size=24m,mode=755 full "$STATE"
	cp -a "$T/state/." "$STATE/"
	dd if=/dev/zero of="$STATE/filler" bs=4k 2>/dev/null || true
	had=$(gltoken list --state all --json | jq '[.. | objects | select(has("id"))] | length')
	# Pages that are free in the store may still be used, so it takes a while until nothing goes in.
	for ((i = 0; i < 400; i++)); do
		run gltoken issue --name "full-$i" --user alice --scope api --description "$(printf '%0200d' 7)"
		if [ "$RC" != 0 ]; then break; fi
	done
	[ "$RC" = 3 ] || fail "no status 3 on a full disk: $(outcome)"
	says '[Nn]o space|full'
	hides 'glpat-'
	[ "$(gltoken list --state all --json | jq '[.. | objects | select(has("id"))] | length')" = $((had + i)) ] ||
		fail "something was half written"
	# Who has a token works on, and it can be taken away.
	ok ssh_ git@host
	ok gltoken check
	ok gltoken revoke "$ID"
	no ssh_ git@host
	restore
	works
}

test_not_permitted() {
	run as_dev gltoken list
	[ "$RC" = 3 ] || [ "$RC" = 1 ] || fail "status $RC"
	says 'root|permi'
	run as_dev gltoken issue --name x --user alice --scope api
	hides 'glpat-'
}

test_wrong_owner_or_mode() {
	good_client
	restored_at_end
	chmod 755 "$STATE/store"
	unavailable 'mode 0700'
	chmod 700 "$STATE/store"
	chown root: "$STATE/store"
	unavailable 'must belong to'
	restore
	works
}

test_damaged() {
	good_client
	restored_at_end
	truncate -s 5000 "$STATE/store/store.mdb"
	unavailable 'damaged|truncated|restore|backup'
	head -c 8192 /dev/zero | dd of="$STATE/store/store.mdb" conv=notrunc 2>/dev/null
	unavailable 'damaged|not a|restore|backup'
	rm "$STATE/store/store.mdb"
	unavailable 'missing|damaged|init|restore|backup'
	restore
	works
}

# One flipped byte in any record: that token is denied or works as it did; it never does more.
test_flipped_bytes() {
	local i size at
	good_client
	restored_at_end
	size=$(stat -c %s "$STATE/store/store.mdb")
	for ((i = 0; i < 40; i++)); do
		at=$(((RANDOM * 32768 + RANDOM) % size))
		printf '\xff' | dd of="$STATE/store/store.mdb" bs=1 seek="$at" conv=notrunc 2>/dev/null
		run gltoken explain --id "$ID" --repo secret/vault --op pull
		[ "$RC" != 0 ] || fail "byte $at: allowed what it may not"
		[ "$RC" -lt 128 ] || fail "byte $at: killed by a signal"
		restore
	done
	works
}

test_config_errors() {
	local conf=/etc/gltoken/gltoken.conf
	good_client
	cp "$conf" "$T/conf"
	trap 'cp "$T/conf" /etc/gltoken/gltoken.conf' EXIT
	rm /var/lib/gltoken/gltoken.conf.valid
	echo '[policy' >"$conf"
	no ssh_ git@host
	logged 'config_error'
	printf '[policy]\nrequire_expriy = no\n' >"$conf"
	no ssh_ git@host
	no gltoken list
	says 'require_expriy'
	says 'gltoken.conf'
	cp "$T/conf" "$conf"
	chmod 666 "$conf"
	no ssh_ git@host
	chmod 644 "$conf"
	works
}

test_init_again_changes_nothing() {
	good_client
	no gltoken init
	says 'already|exists'
	works
}

e2e_main "$@"
