#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What happens around a token's end: listed before it, and removed long after it.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

CONF=/etc/gltoken/gltoken.conf

setup() {
	e2e_host
}

# The clock of gltoken alone, so many days ahead.
later() { # DAYS ARG...
	local days=$1
	shift
	timeout 30 faketime -f "+${days}d" gltoken "$@"
}

# Configuration lines, one section: LINE...
configure() { # SECTION LINE...
	local section=$1
	shift
	printf '%s\n' "[$section]" "$@" >"$CONF"
}

ids() {
	jq -c '[.[].id]' "$T/out"
}

test_list_expires_within() {
	local near far
	new_token --user erin --scope read_repository --expires 3d
	near=$ID
	new_token --user erin --scope read_repository --expires 40d
	far=$ID
	ok gltoken list --expires-within 7d --json
	[ "$(ids)" = "[$near]" ] || fail "not the near one: $(outcome)"
	ok gltoken list --expires-within 60d --json --user erin
	[ "$(ids)" = "[$near,$far]" ] || fail "not both: $(outcome)"
	ok gltoken revoke "$near"
	ok gltoken list --expires-within 7d --json
	[ "$(ids)" = '[]' ] || fail "a revoked one: $(outcome)"
	rc 2 gltoken list --expires-within soon
	says "'soon'"
	ok gltoken revoke "$far"
}

test_reap() {
	ok later 40 reap
	local dead live robot events
	new_token --user dave --scope read_repository --expires 2d
	dead=$ID
	new_token --user dave --scope read_repository --expires 100d
	live=$ID
	new_token --deploy demo/hello --scope read_repository --expires 2d
	robot=$(gltoken show "$ID" --json | jq -r .user)
	events=$(gltoken audit list --json | jq '.[-1].seq')
	ok gltoken reap
	says '^0 tokens removed'
	ok later 31 reap --dry-run
	says '^0 tokens to remove'
	ok later 33 reap --dry-run
	says "Would remove token $dead \(personal token 't-.*' of dave\): expired since"
	[ "$(gltoken audit list --json | jq '.[-1].seq')" = "$events" ] || fail "a dry run changed something"
	ok later 33 reap
	says "Removed token $ID \(deploy token .* of demo/hello\): expired since .*, and with it ${robot/+/.}\."
	says '1 accounts of bots'
	rc 1 gltoken show "$dead"
	ok gltoken show "$live"
	ok gltoken check
	ok gltoken audit verify
	ok gltoken audit list --token "$dead" --action token.reap --json
	[ "$(jq -r '.[0] | [.object, .after, (.reason | startswith("expired since "))] | tostring' "$T/out")" = '["dave",null,true]' ] ||
		fail "not so: $(outcome)"
	# Whoever presents it is told what everybody with a wrong secret is told.
	client keyboard-interactive "$TOKEN"
	no ssh_ git@host
	logged "event=login decision=deny reason=unknown_token"
}

test_reap_json() {
	ok later 40 reap
	new_token --user bob --scope read_repository --expires 50d
	ok gltoken revoke "$ID" --reason over
	ok later 31 reap --json
	[ "$(jq -c '[.[] | [.id, .state, (.died_at | length)]]' "$T/out")" = "[[$ID,\"revoked\",20]]" ] || fail "not so: $(outcome)"
	ok later 31 reap --json
	[ "$(ids)" = '[]' ] || fail "again: $(outcome)"
}

test_retention() {
	ok later 40 reap
	new_token --user bob --scope read_repository --expires 50d
	ok gltoken revoke "$ID"
	configure policy 'retention_days = 0'
	ok later 400 reap
	says 'Nothing is removed: \[policy\] retention_days = 0'
	configure policy 'retention_days = 100'
	ok later 99 reap
	says '^0 tokens removed'
	ok later 101 reap
	says "Removed token $ID "
	configure policy 'retention_days = 30d'
	ok gltoken reap
	says "retention_days: '30d' must be a number"
	rm "$CONF"
	rc 2 gltoken reap 7
	rc 3 as_dev gltoken reap
}

# A backup from before: what was removed since does not come back to life.
test_restore_after_reap() {
	new_token --user bob --scope read_repository --expires 2d
	ok gltoken backup "$T/b"
	ok later 40 reap
	gltoken audit export >"$T/audit"
	ok gltoken restore "$T/b" --force --replay-audit "$T/audit"
	says "$ID +bob/.* revoked +removed after the backup, for it was dead"
	ok gltoken show "$ID" --json
	[ "$(jq -r '.state' "$T/out")" = revoked ] || fail "it is back: $(outcome)"
	says 'revoked_why": "expired since'
}

# ---- notify ----

# A command that keeps what it gets, as whom, and with what; it fails where the token's name says so.
notifier() { # LINE...
	rm -rf "$E2E_DIR/inbox"
	install -d -m 777 "$E2E_DIR/inbox"
	cat >"$E2E_DIR/notifier" <<-'END'
		#!/bin/bash
		f=$(mktemp "$1/XXXXXX")
		cat >"$f"
		id -un >"$1/who"
		env | sed '/^_=/d;/^PWD=/d;/^SHLVL=/d' | sort >"$1/env"
		ls /proc/self/fd | tr '\n' ' ' >"$1/fds"
		if grep -q '"name":"fail' "$f"; then rm "$f"; echo 'no such mailbox' >&2; exit 4; fi
		if grep -q '"name":"hang' "$f"; then rm "$f"; sleep 60; fi
		mv "$f" "$1/$(jq -r '"\(.object_attributes.id)-\(.interval)"' "$f").json"
	END
	chmod 755 "$E2E_DIR/notifier"
	configure notify "command = $E2E_DIR/notifier $E2E_DIR/inbox" "$@"
	ok later 400 reap
	local id
	for id in $(gltoken list --json | jq '.[].id'); do gltoken revoke "$id" 2>/dev/null; done
}

inbox() { # WANT...
	local got want
	got=$(cd "$E2E_DIR/inbox" && find . -name '*.json' -printf '%f\n' | sort | tr '\n' ' ')
	want=$(if [ $# -gt 0 ]; then printf '%s.json\n' "$@" | sort | tr '\n' ' '; fi)
	[ "$got" = "$want" ] || fail "the inbox has '$got', not '$want': $(outcome)"
	rm -f "$E2E_DIR/inbox"/*.json
}

test_notify_once_a_band() {
	notifier
	new_token --user alice --scope read_repository --expires 100d
	local day
	ok gltoken notify
	inbox
	for day in 39 40 50 60; do ok later "$day" notify; done
	inbox "$ID-sixty_days"
	for day in 70 71 92 93 94 95; do ok later "$day" notify; done
	inbox "$ID-thirty_days" "$ID-seven_days"
	for day in 98 99 99 100 101; do ok later "$day" notify; done
	inbox "$ID-one_day"
	ok gltoken audit list --token "$ID" --action token.notify --json
	[ "$(jq -c 'map(.reason)' "$T/out")" = '["60 days","30 days","7 days","1 days"]' ] || fail "not so: $(outcome)"
	ok gltoken check
}

# After an outage only the most urgent; a new expiry begins anew; what is over or new is not told of.
test_notify_of_what() {
	notifier
	new_token --user alice --scope read_repository --expires 100d
	ok later 95 notify
	inbox "$ID-seven_days"
	ok later 95 expire "$ID" --at +50d
	ok later 95 notify
	inbox "$ID-sixty_days"
	ok gltoken revoke "$ID"
	ok later 144 notify
	inbox
	new_token --user alice --scope read_repository --expires 7d
	ok gltoken notify
	ok later 5 notify
	inbox
	ok later 6 notify
	inbox "$ID-one_day"
	new_token --user alice --scope read_repository --expires 12h
	ok gltoken notify
	new_token --user alice --scope read_repository --expires 40d
	local new
	new=$(gltoken rotate "$ID" --overlap 30d --expires 200d --json | jq .id)
	ok later 20 notify
	inbox
	ok gltoken revoke "$ID" "$new"
}

test_notice_is_gitlabs() {
	notifier
	new_token --project demo/hello --role developer --scope read_repository --expires 50d
	local project=$ID bot
	bot=$(gltoken show "$ID" --json | jq -r .user)
	new_token --group demo --role reporter --scope read_api --expires 50d
	local group=$ID
	new_token --deploy demo/hello --scope read_repository --expires 50d
	ok later 45 notify --json
	[ "$(jq -c 'map([.object_attributes.id, .sent])' "$T/out")" = "[[$project,true],[$group,true],[$ID,true]]" ] ||
		fail "not so: $(outcome)"
	cp "$E2E_DIR/inbox"/*.json "$T"
	inbox "$project-seven_days" "$group-seven_days" "$ID-seven_days"
	[ "$(jq -c '[.object_kind, .event_name, .interval, .project.path_with_namespace, .project.namespace, .project.name,
		(.project.id > 0), .gltoken.user, .gltoken.days, .group]' "$T/$project-seven_days.json")" = \
		"[\"access_token\",\"expiring_access_token\",\"seven_days\",\"demo/hello\",\"demo\",\"hello\",true,\"$bot\",7,null]" ] ||
		fail "$(cat "$T/$project-seven_days.json")"
	[ "$(jq -c '[.group.full_path, .group.group_name, .project, (.object_attributes.expires_at | length),
		(.object_attributes.created_at | endswith(" UTC"))]' "$T/$group-seven_days.json")" = '["demo","demo",null,10,true]' ] ||
		fail "$(cat "$T/$group-seven_days.json")"
	[ "$(jq -c '[.object_kind, .event_name]' "$T/$ID-seven_days.json")" = '["deploy_token","expiring_deploy_token"]' ] ||
		fail "$(cat "$T/$ID-seven_days.json")"
	if grep -q "${TOKEN#*-}" "$T"/*.json; then fail "a secret is in a notice"; fi
}

test_notify_runs_as() {
	notifier
	new_token --user alice --scope read_repository --expires 10d
	FOO=bar ok later 5 notify
	[ "$(cat "$E2E_DIR/inbox/who")" = nobody ] || fail "it runs as $(cat "$E2E_DIR/inbox/who")"
	[ "$(cut -d= -f1 "$E2E_DIR/inbox/env" | tr '\n' ' ')" = 'HOME LC_ALL LOGNAME PATH USER ' ] || fail "$(cat "$E2E_DIR/inbox/env")"
	# One more is the open folder itself.
	[ "$(cat "$E2E_DIR/inbox/fds")" = '0 1 2 3 ' ] || fail "it has descriptors $(cat "$E2E_DIR/inbox/fds")"
	local user
	for user in root gltoken; do
		configure notify "command = $E2E_DIR/notifier $E2E_DIR/inbox" "user = $user"
		rc 1 gltoken notify
		says 'must be neither root nor gltoken'
	done
	configure notify "command = $E2E_DIR/notifier $E2E_DIR/inbox" "user = nosuch"
	rc 3 gltoken notify
	says "nosuch"
	rc 3 as_dev gltoken notify
}

# What fails is tried again, and does not hold up the others.
test_notify_failures() {
	notifier 'timeout = 1s'
	new_token --user alice --scope read_repository --expires 20d
	local good=$ID bad hang
	bad=$(gltoken issue --user alice --name fail --scope read_repository --expires 20d --json | jq .id)
	hang=$(gltoken issue --user alice --name hang --scope read_repository --expires 20d --json | jq .id)
	rc 3 later 15 notify
	says 'notifier: exit status 4: no such mailbox'
	says 'killed after \[notify\] timeout = 1s'
	says '^1 notices sent, 2 failed\.'
	inbox "$good-seven_days"
	ok gltoken edit "$bad" --name better
	rc 3 later 15 notify
	says '^1 notices sent, 1 failed'
	inbox "$bad-seven_days"
	ok gltoken revoke "$hang"
	for i in 1 2 3 4; do ok gltoken issue --user alice --name "fail$i" --scope read_repository --expires 20d; done
	rc 3 later 15 notify
	says '^0 notices sent, 3 failed; the others were not tried'
	configure notify 'command = /nonexistent/program'
	rc 3 later 15 notify
	says '/nonexistent/program: exit status 127'
}

test_notify_dry_run() {
	notifier
	new_token --user alice --scope read_repository --expires 10d
	ok later 5 notify --dry-run
	says "Would tell of token $ID \(personal token .* of alice\): expires .*, within 7 days"
	ok later 5 notify --dry-run --json
	[ "$(jq -c '[.[].object_attributes.id]' "$T/out")" = "[$ID]" ] || fail "not so: $(outcome)"
	inbox
	rm "$CONF"
	ok later 5 notify
	says 'Nothing is sent: \[notify\] command is not set'
	rc 2 gltoken notify now
}

# Killed after the command and before that is noted: sent again. Two at once: not twice.
test_notify_at_least_once() {
	notifier 'timeout = 20s'
	new_token --user alice --scope read_repository --expires 10d
	cat >"$E2E_DIR/notifier" <<-'END'
		#!/bin/bash
		cat >"$1/$(date +%N).json"
		while [ -e "$1/hold" ]; do sleep 0.05; done
	END
	touch "$E2E_DIR/inbox/hold"
	faketime -f +5d gltoken notify >/dev/null 2>&1 &
	local first=$!
	await grep -qr --include='*.json' event_id "$E2E_DIR/inbox"
	rc 3 later 5 notify
	says 'another notify is at work'
	# faketime starts the one that starts the command.
	kill -KILL "$(pgrep -P "$first" -x gltoken)"
	rm "$E2E_DIR/inbox/hold"
	wait "$first" || true
	ok later 5 notify
	says '^1 notices sent'
	ok later 5 notify
	says '^0 notices sent'
	[ "$(find "$E2E_DIR/inbox" -name '*.json' | wc -l)" = 2 ] || fail "not twice"
	[ "$(jq -rs 'map(.gltoken.event_id) | unique | length' "$E2E_DIR/inbox"/*.json)" = 1 ] || fail "two event_ids"
}

test_notify_mail() {
	notifier
	cat >"$E2E_DIR/sendmail" <<-'END'
		#!/bin/bash
		printf '%s\n' "$@" >"${0%/*}/inbox/args.$(cat | tee "${0%/*}/inbox/mail.$$" | sed -n 's/^To: //p')"
	END
	chmod 755 "$E2E_DIR/sendmail"
	configure notify "command = /usr/libexec/gltoken/gltoken-notify-mail --domain example.org --to ops@example.org --sendmail $E2E_DIR/sendmail"
	gltoken issue --user alice --name 'bcc: x' --scope read_repository --expires 10d >/dev/null
	new_token --deploy demo/hello --scope read_repository --expires 10d
	ok later 5 notify
	says '^2 notices sent'
	[ "$(cat "$E2E_DIR/inbox/args.alice@example.org")" = $'-i\n--\nalice@example.org' ] || fail "$(ls "$E2E_DIR/inbox")"
	[ -e "$E2E_DIR/inbox/args.ops@example.org" ] || fail "$(ls "$E2E_DIR/inbox")"
	grep -qE '^Subject: Access token [0-9]+ expires within 7 days$' "$E2E_DIR"/inbox/mail.* || fail "$(cat "$E2E_DIR"/inbox/mail.*)"
	grep -qE '^  token     bcc: x$' "$E2E_DIR"/inbox/mail.* || fail "$(cat "$E2E_DIR"/inbox/mail.*)"
	INPUT='{}' rc 1 /usr/libexec/gltoken/gltoken-notify-mail
	INPUT='{"gltoken":{"type":"personal","user":"-oQ/tmp"}}' rc 1 /usr/libexec/gltoken/gltoken-notify-mail
	says 'no mail address'
	rc 2 /usr/libexec/gltoken/gltoken-notify-mail --to 'a b'
	rm "$CONF"
}

e2e_main "$@"
