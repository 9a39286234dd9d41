#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A store of each schema that was released, as text in tests/fixtures: it opens, it is sound, its tokens do what they did,
# it can be changed, and it can be migrated. That a newer one is refused is in 70-store.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

HELPER=/usr/libexec/gltoken/gltoken-auth
FIXTURES=$E2E_LIB/../fixtures
NEWEST=$(sed -n 's/^#define GLT_SCHEMA \([0-9]*\)u$/\1/p' "$E2E_LIB/../../pam_gltoken/core/store.h")

setup() {
	e2e_host
}

# The text as a store, in place of the one that is there.
restore_fixture() { # FOLDER
	local store=/var/lib/gltoken/store
	rm -rf "$store"
	install -d -o gltoken -g gltoken -m 700 "$store"
	mdb_load -n -f "$1/store.dump" "$store/store.mdb" || fail "$1 does not load"
	perl -ne 'chomp; print pack "H*", $_' "$1/key" >"$store/key"
	rm -f "$store/store.mdb-lock"
	chown gltoken: "$store"/*
	chmod 600 "$store"/*
}

verdicts() { # FOLDER
	local want token reason
	while read -r want token; do
		reason=$(printf '%s\n' verb=verify "secret=$token" account=git service=sshd '' | "$HELPER" | sed -n 's/^reason=//p' || true)
		if [ "$want" = allow ]; then want=ok; fi
		[ "$reason" = "$want" ] || fail "$1: a token that was '$want' is '$reason' now"
	done <"$1/tokens"
}


schema() {
	gltoken stats --quick --json | jq .schema
}

# What the tokens of a fixture could do, they can, and the store can be changed.
works() { # FOLDER
	ok gltoken check
	ok gltoken audit verify
	verdicts "$1"
	ok gltoken list --state all --json
	[ "$(jq length "$T/out")" = "$(wc -l <"$1/tokens")" ] || fail "not as many tokens as there were"
	ok gltoken explain --id zoe/live --repo demo/hello --op push --ref refs/heads/topic
	no gltoken explain --id zoe/live --repo demo/hello --op push --ref refs/heads/main
	ok gltoken key list
	says fixture
}

change() {
	ok gltoken revoke --family "$(gltoken list --user yan --state all --json | jq 'map(select(.name == "turns"))[0].id')"
	says turns
	ok gltoken revoke zoe/live
	ok gltoken issue --name later --user zoe --scope api
	ok gltoken check
	ok gltoken reap
	[ "$(gltoken stats --json | jq '.entries.by_kind == .entries.tokens')" = true ] || fail "no index by kind"
	ok gltoken check
	ok gltoken audit verify
	ok gltoken audit export
	[ "$(jq -s '[.[1:], .[:-1]] | transpose | all(.[0].previous == .[1].hash)' "$T/out")" = true ] ||
		fail "the old and the new events do not chain"
}

test_a_store_of_each_schema() {
	local dir seen=0
	for dir in "$FIXTURES"/schema-*; do
		seen=$((seen + 1))
		restore_fixture "$dir"
		works "$dir"
		ok gltoken backup "$T/backup"
		change
		[ "$(schema)" = "${dir##*-}" ] || fail "$dir is of another schema now, and nobody migrated it"
		ok gltoken restore "$T/backup" --force
		[ "$(schema)" = "${dir##*-}" ] || fail "$dir is of another schema now that it was restored"
	done
	[ "$seen" -ge 1 ] || fail "no fixtures"
	# This version's own schema is among them.
	[ -d "$FIXTURES/schema-$NEWEST" ] || fail "the schema of this version has no fixture: tests/lib/make-fixture.sh"
}

finding() {
	run gltoken doctor --json
	jq -r '.findings[] | select(.id == "store_schema") | .command' "$T/out"
}

test_migrate() {
	local dir backup head
	for dir in "$FIXTURES"/schema-*; do
		restore_fixture "$dir"
		rm -rf /var/backups/gltoken
		if [ "${dir##*-}" = "$NEWEST" ]; then
			[ -z "$(finding)" ] || fail "doctor wants to migrate what is up to date"
			ok gltoken migrate
			says "Nothing to do: the store is of schema $NEWEST"
			ok gltoken migrate --json
			[ "$(jq -c '[.from == .to, .steps, .backup]' "$T/out")" = '[true,[],null]' ] || fail "$(outcome)"
			[ ! -e /var/backups/gltoken ] || fail "a backup of nothing"
			continue
		fi
		[ "$(finding)" = 'gltoken migrate' ] || fail "doctor does not say that a migration is due"
		ok gltoken migrate --dry-run --json
		[ "$(jq -c '[.from, .to, .backup, .dry_run]' "$T/out")" = "[${dir##*-},$NEWEST,null,true]" ] || fail "$(outcome)"
		[ "$(schema)" = "${dir##*-}" ] || fail "a dry run migrates"
		[ ! -e /var/backups/gltoken ] || fail "a dry run makes a backup"
		ok gltoken migrate --json
		[ "$(schema)" = "$NEWEST" ] || fail "not migrated"
		[ "$(jq '.steps[0].entries' "$T/out")" -gt 0 ] || fail "the step did nothing: $(outcome)"
		backup=$(jq -r .backup "$T/out")
		[ "$(stat -c '%U %a' "$backup")" = 'root 600' ] || fail "$backup is not root's alone"
		[[ ${backup##*/} == "gltoken-schema-${dir##*-}-"*.backup ]] || fail "the backup is named $backup"
		cp "$T/err" "$T/migrate.err"
		says "from schema ${dir##*-} to $NEWEST"
		says "kept in $backup"
		ok gltoken audit list --action store.migrate --json
		[ "$(jq -c '.[0] | [.before, .after]' "$T/out")" = "[\"schema ${dir##*-}\",\"schema $NEWEST\"]" ] || fail "$(outcome)"
		head=$(sed -nE 's/^ +gltoken restore .* --force --head ([0-9]+:[0-9a-f]{64})$/\1/p' "$T/migrate.err")
		works "$dir"
		ok gltoken issue --name after --user zoe --scope api
		ok gltoken audit export
		cp "$T/out" "$T/audit"
		change
		[ -z "$(finding)" ] || fail "doctor wants to migrate again"

		# Rotation of backups leaves it alone; it is the old store, and what happened since can be replayed on it.
		mkdir -p /etc/gltoken/conf.d
		printf '[backup]\nkeep = 1\n' >/etc/gltoken/conf.d/keep.conf
		ok gltoken backup
		ok timeout 30 faketime -f +2d gltoken backup
		rm /etc/gltoken/conf.d/keep.conf
		[ -f "$backup" ] || fail "the rotation has removed the backup"
		ok gltoken restore "$backup" --replay-audit "$T/audit" --force
		[ "$(schema)" = "$NEWEST" ] || fail "events of schema $NEWEST stand in a store of schema $(schema)"
		ok gltoken check
		ok gltoken audit verify
		ok gltoken restore "$backup" --force --head "$head"
		hides paused
		[ "$(schema)" = "${dir##*-}" ] || fail "the backup is not the old store"
		ok gltoken check
		ok gltoken audit verify
	done
}

# Killed at any moment, the store is the old one or the new one, and sound.
test_migrate_killed() {
	local pid now=''
	for _ in $(seq 1 40); do
		[ "$now" = 1 ] || restore_fixture "$FIXTURES/schema-1"
		setsid gltoken migrate >"$T/out" 2>"$T/err" &
		pid=$!
		sleep "0.$(printf %03d $((RANDOM % 120)))"
		kill -9 -- "-$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
		ok gltoken check
		ok gltoken audit verify
		now=$(schema)
		[ "$now" = 1 ] || [ "$now" = "$NEWEST" ] || fail "the store is of schema $now"
	done
	ok gltoken migrate
	[ "$(schema)" = "$NEWEST" ] || fail "what was killed keeps the next one from migrating"
	works "$FIXTURES/schema-1"
}

test_migrate_without_backup() {
	restore_fixture "$FIXTURES/schema-1"
	rm -rf /var/backups/gltoken
	install -d -m 777 /var/backups/gltoken
	rc 3 gltoken migrate
	says 'must be a folder of root that nobody else can write'
	[ "$(schema)" = 1 ] || fail "migrated without a backup"
	rm -rf /var/backups/gltoken
	rc 2 gltoken migrate now
	says 'unexpected operand'
}

e2e_main "$@"
