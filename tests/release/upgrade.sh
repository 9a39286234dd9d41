#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The release before, as its own Debian packages, and what this one makes of its host: upgraded while configured, taken back
# before `gltoken migrate`, upgraded again and migrated. The release before is the last commit that wrote the schema before.
here=$(dirname "$0")
# shellcheck source=tests/e2e/92-packages.sh
. "$here/../e2e/92-packages.sh"

OLD=$E2E_DIR/old-debs
NEWEST=$(sed -n 's/^#define GLT_SCHEMA \([0-9]*\)u$/\1/p' "$TOP/pam_gltoken/core/store.h")

git_here() {
	git -c safe.directory='*' -C "$TOP" "$@"
}

old_debs() {
	local first old=$E2E_DIR/old
	[ ! -d "$OLD" ] || return 0
	# Its own form it had before its number.
	first=$(git_here log --format=%H --reverse -S'id of each but the first' -- pam_gltoken/core/store.h | sed -n 1p)
	git_here rev-parse -q --verify "$first^" >"$T/commit" || fail "this clone has no history of the schema before"
	mkdir "$old"
	git_here archive "$(cat "$T/commit")" | tar -xf - -C "$old"
	grep -q "^#define GLT_SCHEMA $((NEWEST - 1))u\$" "$old/pam_gltoken/core/store.h" || fail "no release of schema $((NEWEST - 1))"
	packages_deb
	mkdir "$OLD.tmp"
	DEB_BUILD_OPTIONS="nocheck parallel=2" LIMIT=500 ok "$old/tools/package-deb" "$OLD.tmp"
	mv "$OLD.tmp" "$OLD"
}

test_build_the_release_before() {
	old_debs
}

test_build_this_one() {
	debs
}

stored() { # KEY of stats
	fresh gltoken stats --quick --json | jq ".$1"
}

sound() {
	ok fresh gltoken check
	ok fresh gltoken audit verify
}

# What each token says when it knocks, whatever release answers.
verdicts() {
	local name token
	while read -r name token; do
		printf '%s %s\n' "$name" "$(printf '%s\n' verb=verify "secret=$token" account=git service=sshd '' |
			fresh "$HELPER" | sed -n 's/^reason=//p' || true)"
	done <"$T/tokens"
}

issue() { # NAME ARGUMENT OF ISSUE...
	ok fresh gltoken issue --name "$@"
	echo "$1 $(cat "$T/out")" >>"$T/tokens"
}

same() {
	verdicts >"$T/verdicts"
	diff "$T/want" "$T/verdicts" || fail "tokens do other things now"
	grep -q '^# a line of the administrator$' "$FRESH/etc/gltoken/gltoken.conf" || fail "gltoken.conf was overwritten"
	[ "$(helper_mode)" = 'root:gltoken 4750' ] || fail "the helper is $(helper_mode)"
	sound
}

configure() {
	printf '%s\n' '# a line of the administrator' '[policy]' 'require_expiry = no' 'max_lifetime = 0s' \
		>>"$FRESH/etc/gltoken/gltoken.conf"
	ok fresh gltoken init
	ok fresh gltoken repo create demo/hello
	ok fresh useradd -m alice
	ok fresh useradd -m client
	ok fresh gltoken user add zoe
	ok fresh gltoken member set demo alice developer
	ok fresh gltoken member set demo/hello zoe maintainer
	issue laptop --user alice --scope write_repository
	install -m 600 -o "$(fresh id -u client)" "$T/out" "$FRESH/home/client/.token"
	issue ci --project demo/hello --role developer --scope read_repository --expires never
	issue nightly --group demo --role reporter --scope read_repository
	issue web1 --deploy demo/hello --scope read_repository
	issue lost --user zoe --scope api
	ok fresh gltoken revoke zoe/lost
	issue rest --user zoe --scope api
	ok fresh gltoken edit zoe/rest --pause
	issue turns --user zoe --scope api
	ok fresh gltoken rotate zoe/turns
	echo "turned $(cat "$T/out")" >>"$T/tokens"
}

test_upgrade_rollback_migrate() {
	old_debs
	begin
	newer_debs "$T/new"
	install_debs "$OLD"
	configure
	verdicts >"$T/want"
	printf '%s\n' 'laptop ok' 'ci ok' 'nightly ok' 'web1 ok' 'lost revoked' 'rest paused' 'turns reused' 'turned ok' |
		diff - "$T/want"
	verdicts >"$T/want" # a reuse is told once an hour; in between it is revoked
	trial_clone 24611

	# Upgraded: all goes on, and what is issued, revoked and rotated now the release before reads.
	install_debs "$T/new"
	same
	trial_clone 24612
	[ "$(stored schema)" = $((NEWEST - 1)) ] || fail "an upgrade has migrated the store"
	run fresh gltoken doctor
	says 'gltoken migrate'
	issue later --user zoe --scope api
	ok fresh gltoken revoke zoe/rest
	ok fresh gltoken rotate demo/hello/ci --overlap 1d
	verdicts >"$T/want"
	grep -q '^rest revoked$' "$T/want" || fail "$(cat "$T/want")"

	# Taken back.
	install_debs "$OLD" --allow-downgrades
	same
	trial_clone 24613
	ok fresh gltoken issue --name once-more --user alice --scope api

	# Upgraded for good.
	install_debs "$T/new"
	same
	ok fresh gltoken migrate
	says "from schema $((NEWEST - 1)) to $NEWEST"
	same
	trial_clone 24614

	# Now the release before refuses, says why, and spoils nothing.
	install_debs "$OLD" --allow-downgrades
	no fresh gltoken list
	says "schema $NEWEST"
	verdicts >"$T/refused"
	! grep -q ' ok$' "$T/refused" || fail "a release that cannot read the store lets tokens in: $(cat "$T/refused")"
	install_debs "$T/new"
	same
	trial_clone 24615
}

e2e_main "$@"
