#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# [policy] of gltoken.conf: wherever a token is made or changed, and for tokens that were there before.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

CONF=/etc/gltoken/gltoken.conf

setup() {
	e2e_host
	policy
	new_token --user alice --scope api,self_rotate --expires 300d
	printf '%s' "$TOKEN" >"$E2E_DIR/api"
}

policy() { # LINE...
	printf '%s\n' '[policy]' "$@" >"$CONF"
	chmod 644 "$CONF"
}

refused() { # ERE ARG...
	local words=$1 before
	shift
	before=$(gltoken list --state all --json | md5sum)
	rc 1 gltoken "$@"
	says "refused by \\[policy\\] $words"
	[ "$(gltoken list --state all --json | md5sum)" = "$before" ] || fail "something was changed: $(outcome)"
}

row() { # KEY: value and source
	jq -r --arg k "$1" '.[] | select(.name == $k) | .value + " " + .source' "$T/out"
}

test_show() {
	policy 'max_lifetime = 180d' 'max_lifetime_deploy=30d' '# comment' 'allowed_scopes_group = read_api, api' \
		'allow_from = 10.0.0.0/8 ::1' 'retroactive = 2030-01-01'
	ok gltoken policy show --json
	[ "$(row max_lifetime)" = "180d $CONF:2" ] || fail "$(outcome)"
	[ "$(row max_lifetime_deploy)" = "30d $CONF:3" ] || fail "$(outcome)"
	[ "$(row max_lifetime_group)" = '180d max_lifetime' ] || fail "$(outcome)"
	[ "$(row allowed_scopes_group)" = "api,read_api $CONF:5" ] || fail "$(outcome)"
	[ "$(row allowed_scopes_deploy)" = 'read_repository,write_repository,read_registry,write_registry,read_virtual_registry,write_virtual_registry default' ] ||
		fail "$(outcome)"
	[ "$(row allow_from)" = "10.0.0.0/8,::1 $CONF:6" ] || fail "$(outcome)"
	[ "$(row retroactive)" = "2030-01-01T00:00:00Z $CONF:7" ] || fail "$(outcome)"
	[ "$(row require_expiry)" = 'yes default' ] || fail "$(outcome)"
	[ "$(row 'notify days')" = '60,30,7,1 default' ] || fail "$(outcome)"
	ok gltoken policy show
	says "^max_lifetime +180d +$CONF:2"
	policy 'max_role = boss'
	rm /var/lib/gltoken/gltoken.conf.valid
	rc 3 gltoken policy show
	says "line 2: \\[policy\\] max_role: unknown role 'boss'"
	rc 2 gltoken policy show x
	rc 2 gltoken policy
}

test_issue() {
	policy 'max_lifetime_project = 10d' 'allowed_scopes_personal = read_repository' 'token_types = personal,project' \
		'max_role = developer' 'max_active = 2'
	refused 'allowed_scopes_personal = read_repository$' issue --name x --user bob --scope read_repository,api
	refused 'token_types = personal,project$' issue --name x --deploy demo/hello --scope read_repository
	refused 'max_role = developer$' issue --name x --project demo/hello --role maintainer --scope api
	refused 'max_lifetime_project = 10d$' issue --name x --project demo/hello --role developer --scope api --expires 11d
	new_token --project demo/hello --role developer --scope api --expires 10d
	new_token --project demo/hello --role developer --scope api
	[ "$(gltoken show "$ID" --json | jq '(.expires_at | fromdate) - (.created_at | fromdate)')" = 864000 ] ||
		fail "not cut to max_lifetime_project"
	refused 'max_active = 2$' issue --name x --project demo/hello --role developer --scope api
	says 'demo/hello has 2 active tokens'
	new_token --project demo/other --role developer --scope api
	policy 'require_expiry = yes'
	refused 'require_expiry = yes$' issue --name x --user bob --scope api --expires never
}

test_change() {
	policy
	new_token --user bob --scope read_repository --expires 100d
	policy 'max_lifetime_personal = 30d' 'allowed_scopes_personal = read_repository,write_repository'
	refused 'allowed_scopes_personal = ' scope "$ID" --add api
	refused 'allowed_scopes_personal = ' scope "$ID" --set api
	refused 'max_lifetime_personal = 30d$' expire "$ID" --at 31d
	refused 'require_expiry = yes$' expire "$ID" --at never
	refused 'max_lifetime_personal = 30d$' rotate "$ID" --expires 31d
	ok gltoken scope "$ID" --add write_repository
	ok gltoken expire "$ID" --at 30d
	ok gltoken rotate "$ID" --expires 30d
	policy 'min_overlap = 1h' 'max_overlap = 2h'
	new_token --user bob --scope read_repository
	refused 'max_overlap = 2h$' rotate "$ID" --overlap 3h
	refused 'min_overlap = 1h$' rotate "$ID" --overlap 59m
	refused 'min_overlap = 1h$' rotate "$ID" --overlap 0
	ok gltoken rotate "$ID"
	ok gltoken show "$ID" --json
	[ "$(jq -r .active "$T/out")" = true ] || fail "no overlap: $(outcome)"
	ok gltoken revoke "$ID"
}

# The same rules for a person's own session.
test_over_ssh() {
	policy 'allowed_scopes_personal = api,self_rotate,read_api' 'max_lifetime_personal = 60d' 'token_types = personal'
	client keyboard-interactive "$(cat "$E2E_DIR/api")"
	no ssh_ git@host personal_access_token ci read_api,read_repository 5
	says 'scope read_repository: refused by \[policy\] allowed_scopes_personal = api,read_api,self_rotate'
	no ssh_ git@host personal_access_token ci read_api 61
	says 'refused by \[policy\] max_lifetime_personal = 60d'
	ok ssh_ git@host personal_access_token ci read_api 59
	gltoken member set demo/other alice maintainer
	no ssh_ git@host project_access_token demo/other ci read_repository developer
	says 'project token: refused by \[policy\] token_types = personal$'
}

test_addresses_of_the_host() {
	policy 'allow_from = 192.0.2.0/24'
	client keyboard-interactive "$(cat "$E2E_DIR/api")"
	no ssh_ git@host
	logged 'reason=address_not_allowed'
	local key
	key=$(new_key)
	ok gltoken key add alice "$key.pub"
	policy 'allow_from = 192.0.2.0/24,127.0.0.0/8'
	ok ssh_ git@host
	rc 1 gltoken explain --stdin --op pull --repo demo/hello --from 192.0.3.1 <"$E2E_DIR/api"
	ok gltoken explain --id 1 --op pull --repo demo/hello --from 192.0.2.1
	rc 1 gltoken explain --id 1 --op pull --repo demo/hello --from 192.0.3.1
	says "none of this host's address ranges, \\[policy\\] allow_from"
	rc 1 gltoken explain --user alice --op pull --repo demo/hello --from 192.0.3.1 --json
	[ "$(jq -r .reason "$T/out")" = address_not_allowed ] || fail "$(outcome)"
	policy
}

test_a_policy_that_became_stricter() {
	policy
	client keyboard-interactive "$(cat "$E2E_DIR/api")"
	ok gltoken policy check
	says 'None of [0-9]+ live tokens'
	policy 'allowed_scopes_personal = read_repository,read_api,self_rotate'
	rc 1 gltoken policy check
	says 'None of them is denied for that: \[policy\] retroactive = no'
	rc 1 gltoken policy check --json
	[ "$(jq -c '[.[] | select(.id == 1) | .rule, .denied_from]' "$T/out")" = '["allowed_scopes_personal",null]' ] ||
		fail "$(outcome)"
	ok ssh_ git@host
	policy 'allowed_scopes_personal = read_repository' 'retroactive = 2999-01-01'
	ok ssh_ git@host
	rc 1 gltoken policy check --json
	[ "$(jq -r '.[] | select(.id == 1) | .denied_from' "$T/out")" = 2999-01-01T00:00:00Z ] || fail "$(outcome)"
	policy 'allowed_scopes_personal = read_repository' 'retroactive = yes'
	no ssh_ git@host
	logged 'reason=policy'
	rc 1 gltoken explain --id 1 --op pull --repo demo/hello
	says 'scope api,self_rotate: refused by \[policy\] allowed_scopes_personal = read_repository'
	policy 'allowed_scopes_personal = api,self_rotate,read_api,read_repository,write_repository' 'retroactive = yes'
	ok ssh_ git@host
}

test_check_counts_too_many() {
	policy
	new_token --user carol --scope api
	new_token --user carol --scope api
	local last=$ID
	policy 'max_active = 1' 'retroactive = yes'
	rc 1 gltoken policy check --json
	[ "$(jq -c '[.[] | select(.holder == "carol") | .id, .rule, .denied_from]' "$T/out")" = "[$last,\"max_active\",null]" ] ||
		fail "$(outcome)"
	rc 1 gltoken policy check --csv
	says "^$last,personal,carol,.*,max_active,"
}

test_import_says_so() {
	policy
	new_token --deploy demo/hello --scope read_repository
	ok gltoken export
	cp "$T/out" "$T/export"
	policy 'token_types = personal,project'
	mv /var/lib/gltoken/store "$T/store.old"
	gltoken init
	ok gltoken import --dry-run "$T/export"
	says '^1 of the tokens breaks the policy of this host, see gltoken policy check$'
	ok gltoken import "$T/export"
	says '^1 of the tokens breaks'
	rc 1 gltoken policy check
	rm -rf /var/lib/gltoken/store
	mv "$T/store.old" /var/lib/gltoken/store
}

e2e_main "$@"
