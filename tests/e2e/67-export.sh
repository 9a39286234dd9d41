#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# export and import: another host takes over tokens that go on working, or nothing.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

STATE=/var/lib/gltoken

setup() {
	e2e_host
	new_token --user alice --scope write_repository,self_rotate --allow-from 127.0.0.0/8 --only-repo 'demo/*' \
		--description 'Größe "1"'
	printf '%s\n' "$TOKEN" >"$E2E_DIR/alice"
	echo "$ID" >"$E2E_DIR/alice.id"
	new_token --project demo/hello --role developer --scope read_repository
	printf '%s\n' "$TOKEN" >"$E2E_DIR/bot"
	new_token --user bob --scope read_repository
	printf '%s\n' "$TOKEN" >"$E2E_DIR/revoked"
	gltoken revoke "$ID" --reason leaked
	gltoken protect demo/hello main --push maintainer
	gltoken user add robbie --display 'Robbie'
	gltoken user block erin --reason gone
	ssh-keygen -q -t ed25519 -N '' -f "$E2E_DIR/key"
	gltoken key add alice "$E2E_DIR/key.pub"
	gltoken export >"$E2E_DIR/export"
}

# The other host: a store that has nothing yet.
elsewhere() {
	rm -rf "${STATE:?}"/store
	gltoken init
}

test_what_stands_in_it() {
	jq -s . "$E2E_DIR/export" >"$T/all" || fail "not one object a line"
	[ "$(jq -r '.[0].record, .[-1].record, (.[-1].count == length - 2)' "$T/all" | paste -sd ' ')" = 'export end true' ] ||
		fail "begin, end and count: $(head -n 1 "$E2E_DIR/export") $(tail -n 1 "$E2E_DIR/export")"
	[ "$(jq -r '[.[1:-1][].record] | unique | join(" ")' "$T/all")" = 'key member namespace protection token user' ] ||
		fail "records: $(jq -c '[.[].record] | unique' "$T/all")"
	local f
	for f in alice bot revoked; do
		if grep -qF -- "$(tail -c 15 "$E2E_DIR/$f" | head -c 14)" "$E2E_DIR/export"; then fail "a secret stands in it"; fi
	done
	[ "$(jq -r '.[] | select(.record == "token" and .owner == "alice") | .description' "$T/all")" = 'Größe "1"' ] ||
		fail "the text is not the same"
	rc 3 as_dev gltoken export
}

test_tokens_go_on_working() {
	elsewhere
	ok gltoken import --dry-run "$E2E_DIR/export"
	says 'Would import'
	[ "$(gltoken list --state all --json | jq length)" = 0 ] || fail "--dry-run changed something"
	ok gltoken import "$E2E_DIR/export"
	ok gltoken check
	ok gltoken audit verify
	client keyboard-interactive "$(cat "$E2E_DIR/alice")"
	ok git_ clone -q git@host:demo/hello.git "$T/clone"
	client keyboard-interactive "$(cat "$E2E_DIR/bot")"
	ok ssh_ git@host
	client keyboard-interactive "$(cat "$E2E_DIR/revoked")"
	no ssh_ git@host
	logged 'reason=revoked'
	# A wrong secret is denied without the 16 bits, too.
	local wrong
	wrong=$(cat "$E2E_DIR/alice")
	client keyboard-interactive "${wrong%??}Zz"
	no ssh_ git@host
	logged 'reason=wrong_secret'
	local id
	id=$(cat "$E2E_DIR/alice.id")
	ok gltoken show "$id" --json
	[ "$(jq -c '[.allow_from, .only_repo]' "$T/out")" = '[["127.0.0.0/8"],["demo/*"]]' ] || fail "limits: $(outcome)"
	ok gltoken user list --json
	[ "$(jq -r '.[] | select(.username == "erin") | .state' "$T/out")" = blocked ] || fail "erin is let in: $(outcome)"
	ok gltoken protect demo/hello --list --raw
	says maintainer
	[ "$(gltoken key list --json | jq length)" = 1 ] || fail "no key"
	# A rotation here gives it the 16 bits of this store, and numbers go on behind those that came.
	ok gltoken rotate "$id" --json
	[ "$(jq .id "$T/out")" -gt "$(jq -s '[.[] | select(.record == "token" or .record == "key") | .id] | max' "$E2E_DIR/export")" ] || fail "a number twice: $(outcome)"
	client keyboard-interactive "$(jq -r .token "$T/out")"
	ok ssh_ git@host
}

test_the_same_again_is_refused() {
	elsewhere
	ok gltoken import "$E2E_DIR/export" --dry-run --json
	jq -e '.records > 1 and (.changed | not)' "$T/out" >/dev/null || fail "$(outcome)"
	ok gltoken import "$E2E_DIR/export" --json
	jq -e '.records > 1 and .changed' "$T/out" >/dev/null || fail "$(outcome)"
	gltoken export >"$T/again"
	cmp "$E2E_DIR/export" "$T/again" || fail "not what was imported"
	local before
	before=$(gltoken audit list --json | jq '.[-1].seq')
	rc 1 gltoken import "$E2E_DIR/export"
	says 'line [0-9]+: .* is there already'
	[ "$(gltoken audit list --json | jq '.[-1].seq')" = "$before" ] || fail "something was changed"
}

# Anything that is there twice, and nothing is taken.
test_all_or_nothing() {
	elsewhere
	gltoken member set demo bob owner
	rc 1 gltoken import "$E2E_DIR/export"
	says "membership 'demo bob' is there already"
	[ "$(gltoken list --state all --json | jq length)" = 0 ] || fail "half of it was taken"
	elsewhere
	awk '/"record":"token"/ && !n++ {print} {print}' "$E2E_DIR/export" | jq -c 'if .record == "end" then .count += 1 else . end' \
		>"$T/twice"
	rc 1 gltoken import "$T/twice"
	says 'would be there twice'
	[ "$(gltoken user list --json | jq length)" = 0 ] || fail "half of it was taken"
	# Numbers of users and projects are one row.
	jq -c 'if .record == "user" then .id = 1 else . end' "$E2E_DIR/export" >"$T/number"
	rc 1 gltoken import "$T/number"
	says 'number 1 would be there twice'
}

refused() { # STATUS ERE JQ
	jq -c "$3" "$E2E_DIR/export" >"$T/bad"
	! cmp -s "$T/bad" "$E2E_DIR/export" || fail "the test changes nothing: $3"
	rc "$1" gltoken import "$T/bad"
	says "$2"
}

test_nothing_is_believed() {
	elsewhere
	local t='if .record == "token" then'
	refused 2 "line [0-9]+: .*type or state" "$t .state = 0 else . end"
	refused 2 'type or state' "$t .type = 9 else . end"
	refused 2 scopes "$t .scopes = 1048576 else . end"
	refused 2 scopes "$t .scopes = 0 else . end"
	refused 2 "salt" "$t .salt = \"AAAA\" else . end"
	refused 2 "field 'tag'" "$t .tag = \"no base64!\" else . end"
	refused 2 memory "$t .memory = 4294967295 else . end"
	refused 2 selector "$t .selector = \"../../\" else . end"
	refused 2 "field 'quick'" "$t .quick = 1 else . end"
	refused 2 "field 'generation'" "$t .generation = 1 else . end"
	refused 2 "field 'sudo'" "$t .sudo = true else . end"
	refused 2 "field 'paused'" "$t .paused = \"no\" else . end"
	refused 2 "field 'id'" "$t .id = -1 else . end"
	refused 2 'id or family' "$t .id = 0 else . end"
	refused 2 'control' "$t .description = \"a\\nb\" else . end"
	refused 2 role 'if .record == "member" then .role = 31 else . end'
	refused 2 '\.\.' 'if .record == "member" then .path = "../x" else . end'
	refused 2 "'record'" 'if .record == "member" then .record = "meta" else . end'
	refused 1 'uid 0' 'if .record == "token" and .owner == "alice" then .owner = "root" else . end'
	refused 1 'is a bot there, but an account' 'if .record == "token" and .type == 2 then .owner = "dave" else . end'
	refused 1 'had no account there' 'if .record == "token" and .owner == "alice" then .owner_uid_plus1 = 0 else . end'
	refused 1 'another version' 'if .record == "export" then .version = 2 else . end'
	refused 2 'number of records' 'select(.record != "key")'
	sed '$d' "$E2E_DIR/export" >"$T/short"
	rc 2 gltoken import "$T/short"
	says 'cut short'
	cat "$E2E_DIR/export" "$E2E_DIR/export" >"$T/two"
	rc 2 gltoken import "$T/two"
	says 'behind the end'
	INPUT='' rc 2 gltoken import
	rc 2 gltoken import "$T/two" "$T/two"
	rc 1 gltoken import "$T/none"
	[ "$(gltoken list --state all --json | jq length)" = 0 ] || fail "something was taken"
	ok gltoken audit list --json
	[ "$(jq length "$T/out")" = 0 ] || fail "something was changed: $(outcome)"
}

# More lines than are parsed at once, on all CPUs: the first bad one is named, whichever thread met it.
test_the_first_bad_line_is_named() {
	elsewhere
	{
		echo '{"record":"export","version":1}'
		seq -f '{"record":"member","path":"many","principal":"user%06.0f","role":30}' 1 40000
		echo '{"record":"end","count":40000}'
	} >"$T/good"
	ok gltoken import --dry-run "$T/good"
	says 'Would import 40000 records'
	local bad
	for bad in 2 8000 16385 30001 40001; do
		sed -e "$bad s/:30}/:31}/" -e "16390 s/.*/[]/" "$T/good" >"$T/bad"
		rc 2 gltoken import "$T/bad"
		if [ "$bad" -gt 16390 ]; then says '^gltoken.*line 16390: this is no JSON object'; else says "line $bad: role"; fi
		sed -e "$bad s/:30}/:31}/" "$T/good" >"$T/bad"
		rc 2 gltoken import "$T/bad"
		says "line $bad: role"
	done
	sed '20000 s/.*/{"record":"end","count":19998}/' "$T/good" >"$T/bad"
	rc 2 gltoken import "$T/bad"
	says 'line 20001: something stands behind the end'
	sed -e '20000 s/.*/{"record":"end","count":19998}/' -e '20001 s/.*/junk/' "$T/good" >"$T/bad"
	rc 2 gltoken import "$T/bad"
	says 'line 20001: this is no JSON object'
	sed -e '20000 s/.*/{"record":"end","count":19997}/' "$T/good" >"$T/bad"
	rc 2 gltoken import "$T/bad"
	says 'line 20000: the number of records'
	[ "$(gltoken list --state all --json | jq length)" = 0 ] || fail "something was taken"
}

test_progress_on_a_terminal() {
	elsewhere
	mkfifo "$T/slow"
	{ head -n 2 "$E2E_DIR/export" && sleep 1.5 && tail -n +3 "$E2E_DIR/export"; } >"$T/slow" &
	ok script -qefc "gltoken import $T/slow" /dev/null
	says '[0-9]+ KiB read, [0-9.]+/s'
	says 'Imported [0-9]+ records'
}

# The name is the person: uids differ from host to host.
test_accounts_by_name() {
	elsewhere
	jq -c 'if .record == "token" and .owner == "alice" then .owner_uid_plus1 = 4000 else . end' "$E2E_DIR/export" >"$T/x"
	INPUT=$(cat "$T/x") ok gltoken import
	client keyboard-interactive "$(cat "$E2E_DIR/alice")"
	ok ssh_ git@host
	elsewhere
	jq -c 'if .record == "token" and .owner == "alice" then .owner = "zoe" else . end' "$E2E_DIR/export" >"$T/x"
	ok gltoken import "$T/x"
	says "no account 'zoe'"
	client keyboard-interactive "$(cat "$E2E_DIR/alice")"
	no ssh_ git@host
	logged 'reason=owner_gone'
}

e2e_main "$@"
