#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A store of each schema that was released, as text in tests/fixtures: it opens, it is sound, its tokens do what they did,
# and it can be changed. That a newer one is refused is in 70-store.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

HELPER=/usr/libexec/gltoken/gltoken-auth
FIXTURES=$E2E_LIB/../fixtures

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

test_a_store_of_each_schema() {
	local dir seen=0
	for dir in "$FIXTURES"/schema-*; do
		seen=$((seen + 1))
		restore_fixture "$dir"
		ok gltoken check
		ok gltoken audit verify
		verdicts "$dir"
		ok gltoken list --state all --json
		[ "$(jq length "$T/out")" = "$(wc -l <"$dir/tokens")" ] || fail "not as many tokens as there were"
		ok gltoken explain --id zoe/live --repo demo/hello --op push --ref refs/heads/topic
		no gltoken explain --id zoe/live --repo demo/hello --op push --ref refs/heads/main
		ok gltoken key list
		says fixture
		ok gltoken backup "$T/backup"
		ok gltoken revoke zoe/live
		ok gltoken issue --name later --user zoe --scope api
		ok gltoken check
		ok gltoken audit verify
		[ "$(gltoken stats --json | jq '.entries.by_kind < .entries.tokens')" = true ] || fail "the index is there already"
		ok gltoken reap
		[ "$(gltoken stats --json | jq '.entries.by_kind == .entries.tokens')" = true ] || fail "no index by kind"
		ok gltoken check
		ok gltoken audit export
		[ "$(jq -s '[.[1:], .[:-1]] | transpose | all(.[0].previous == .[1].hash)' "$T/out")" = true ] ||
			fail "the old and the new events do not chain"
	done
	[ "$seen" -ge 1 ] || fail "no fixtures"
	# This version's own schema is among them.
	[ -d "$FIXTURES/schema-$(sed -n 's/^#define GLT_SCHEMA \([0-9]*\)u$/\1/p' "$E2E_LIB/../../pam_gltoken/core/store.h")" ] ||
		fail "the schema of this version has no fixture: tests/lib/make-fixture.sh"
}

e2e_main "$@"
