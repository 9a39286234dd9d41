#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The administrator's program: what each command prints where, its exit status, and that what is refused leaves
# nothing behind.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
# shellcheck source=tests/lib/cli.sh
. "$E2E_LIB/cli.sh"

test_help() {
	local cmd
	ok gltoken --help
	[ ! -s "$T/err" ] || fail "help belongs on stdout"
	for cmd in init issue create list show rotate revoke edit scope expire identify explain check 'member set' \
		'member remove' 'member list' 'user add' 'user list' 'user block' 'user unblock' 'user remove' \
		'key add' 'key list' 'key remove' 'member import-unix' 'user sync' 'repo create' 'repo adopt' 'repo check' 'repo list' 'repo move' 'repo remove' 'audit list' 'config check'; do
		# shellcheck disable=SC2086 # two words
		ok gltoken $cmd --help
		grep -q "^Usage: gltoken ${cmd/create/.*}" "$T/out" || fail "no usage: $(outcome)"
		[ ! -s "$T/err" ] || fail "help belongs on stdout: $(outcome)"
		# shellcheck disable=SC2086
		ok gltoken help $cmd
		grep -q '^Usage: ' "$T/out" || fail "no usage: $(outcome)"
	done
	ok gltoken --version
	says '^gltoken [0-9]'
}

test_usage_errors() {
	unchanged rc 2 gltoken
	unchanged rc 2 gltoken isue
	says "did you mean 'issue'"
	unchanged rc 2 gltoken member ste
	says "did you mean 'set'"
	unchanged rc 2 gltoken frobnicate
	unchanged rc 2 gltoken list --frobnicate
	unchanged rc 2 gltoken list --josn
	says "did you mean '--json'"
	unchanged rc 2 gltoken list -x
	unchanged rc 2 gltoken list extra
	unchanged rc 2 gltoken list --json=yes
	unchanged rc 2 gltoken list --limit
	unchanged rc 2 gltoken show
	unchanged rc 2 gltoken show 1 2
	unchanged rc 2 gltoken issue --name x --name y --user alice --scope api
	silent_stdout
	# What the caller typed does not steer the terminal that shows the complaint.
	unchanged rc 2 gltoken $'x\e[31m'
	hides $'\e'
	says 'x\\u001b'
}

test_issue_prints_the_token_alone() {
	ok gltoken issue --name alone --user alice --scope read_repository --expires 30d
	[[ $(cat "$T/out") =~ ^glpat-[0-9A-Za-z]{20}$ ]] || fail "not one token: $(outcome)"
	[ "$(wc -c <"$T/out")" = 27 ] || fail "not one line: $(outcome)"
	if grep -q "$(cut -c 13- "$T/out")" "$T/err"; then fail "the secret is on stderr: $(outcome)"; fi
	grep -q "'alone' of alice" "$T/err" || fail "no summary: $(outcome)"
	ok gltoken issue --name robot --deploy demo/hello --scope read_repository
	[[ $(cat "$T/out") =~ ^gldt-[0-9A-Za-z]{20}$ ]] || fail "not a deploy token: $(outcome)"
}

test_issue_json_of_all_types() {
	ok gltoken issue --json --name j2 --user alice --scope api,read_api --scope read_user --expires 30d \
		--description 'for "tests", üñ'
	json '.type == "personal" and .user == "alice" and .path == null and .access_level == null'
	json '.scopes == ["api", "read_api", "read_user"] and .description == "for \"tests\", üñ" and .name == "j2"'
	json '.revoked == false and .active == true and .state == "active" and (.id | type) == "number"'
	json '.last_used_at == null and .last_used_ips == [] and .allow_from == [] and .max_uses == null'
	json '(.created_at | test("^20..-..-..T..:..:..Z$")) and (.expires_at | fromdate) - (.created_at | fromdate) == 30 * 86400'
	json '.token | test("^glpat-[0-9A-Za-z]{20}$")'
	ok gltoken issue --json --name j2 --project demo/hello --role developer --scope write_repository \
		--allow-from 192.0.2.0/24,2001:db8::/32 --only-repo 'demo/*' --service sshd --max-uses 3
	json '.type == "project" and .path == "demo/hello" and .access_level == 30 and (.user | test("^project_[0-9]+_bot_"))'
	json '.allow_from == ["192.0.2.0/24", "2001:db8::/32"] and .only_repo == ["demo/*"] and .services == ["sshd"]'
	json '.max_uses == 3 and .uses_left == 3'
	ok gltoken create --json --name j2 --group demo --access-level 40 --scope api --expires-at 30d
	json '.type == "group" and .access_level == 40 and (.user | test("^group_[0-9]+_bot_"))'
	ok gltoken issue --json --name j2 --deploy demo/hello --scope read_repository
	json '.type == "deploy" and .access_level == null and (.user | test("^gitlab\\+deploy-token-[0-9]+$"))'
	ok gltoken issue --json --name j3 --deploy demo --scope read_repository --username builder
	json '.user == "builder" and .path == "demo"'
	ok gltoken issue --name soon --project demo/not-yet --role reporter --scope read_repository
	says 'no repository demo/not-yet'
}

test_issue_refuses() {
	local long
	printf -v long '%0256d' 1
	refused() { # STATUS SAYS ARG...
		unchanged rc "$1" gltoken issue "${@:3}"
		says "$2"
		silent_stdout
		hides $'\e|\xff'
	}
	refused 2 'empty' --name '' --user alice --scope api
	refused 2 '256 bytes' --name "$long" --user alice --scope api
	refused 2 'control' --name $'a\eb' --user alice --scope api
	refused 2 'control' --name $'a\nb' --user alice --scope api
	refused 2 'UTF-8' --name $'a\xffb' --user alice --scope api
	refused 2 'control' --name x --description $'a\tb' --user alice --scope api
	refused 2 "Invalid scope: 'bogus'.*read_repository" --name x --user alice --scope bogus
	refused 2 "Invalid scope: 'read_user'" --name x --project demo/hello --role owner --scope read_user
	refused 2 'empty part' --name x --user alice --scope api,
	refused 2 '--scope is required' --name x --user alice
	refused 2 "unknown role 'boss'.*maintainer" --name x --project demo/hello --role boss --scope api
	refused 2 '--role is required' --name x --group demo --scope api
	refused 2 '--role goes with' --name x --user alice --role owner --scope api
	refused 2 'in the past' --name x --user alice --scope api --expires 2020-02-29
	refused 2 'in the past' --name x --user alice --scope api --expires 2020-01-01T00:00:00Z
	refused 2 'must be a date' --name x --user alice --scope api --expires 2027-02-29
	refused 2 'must be a date' --name x --user alice --scope api --expires tomorrow
	refused 1 'require_expiry' --name x --user alice --scope api --expires never
	refused 1 'max_lifetime' --name x --user alice --scope api --expires 3650d
	refused 2 'not-before' --name x --user alice --scope api --expires 3d --not-before 4d
	refused 1 "unknown user 'mallory'" --name x --user mallory --scope api
	refused 2 'account name' --name x --user 'a b' --scope api
	refused 1 'uid 0' --name x --user root --scope api
	refused 2 '300.1.2.3' --name x --user alice --scope api --allow-from 300.1.2.3
	refused 2 'beyond' --name x --user alice --scope api --allow-from 192.0.2.1/24
	refused 2 'address range' --name x --user alice --scope api --allow-from example.org
	refused 2 'pattern' --name x --user alice --scope api --only-repo 'a b'
	refused 2 'service' --name x --user alice --scope api --service 'S S'
	refused 2 'whole number' --name x --user alice --scope api --max-uses 0
	refused 2 'whole number' --name x --user alice --scope api --max-uses 4294967296
	refused 2 'each part must be' --name x --project ../etc --role owner --scope api
	refused 2 'only one of' --name x --user alice --project demo/hello --scope api
	refused 2 'unexpected operand' --name x --user alice --scope api more
}

test_names_are_unique() {
	ok gltoken issue --name unique --user alice --scope api
	unchanged rc 1 gltoken issue --name unique --user alice --scope api
	says 'already'
	unchanged ok gltoken issue --name unique --user alice --scope api --if-absent
	silent_stdout
	unchanged ok gltoken issue --name unique --user alice --scope api --if-absent --json
	json '.token == null and .name == "unique"'
	ok gltoken issue --name unique --user bob --scope api
	ok gltoken revoke alice/unique
	ok gltoken issue --name unique --user alice --scope api --if-absent
	[ -s "$T/out" ] || fail "a revoked token is no token that is there: $(outcome)"
}

# A full disk, a closed pipe or none at all: nobody has the token then, and that must be said.
test_token_that_cannot_be_printed() {
	local id
	rc 3 bash -c 'gltoken issue --name full --user alice --scope api >/dev/full'
	says 'was issued but could not be printed.*No space left'
	id=$(grep -oE 'gltoken revoke [0-9]+' "$T/err" | tr -dc 0-9)
	ok gltoken revoke "$id"
	rc 3 bash -c 'gltoken issue --name full --user alice --scope api --json >/dev/full'
	says 'could not be printed'
	rc 3 bash -c 'set -o pipefail; gltoken issue --name pipe --user alice --scope api | exec <&-'
	says 'could not be printed.*Broken pipe'
	rc 3 bash -c 'gltoken rotate alice/pipe >/dev/full'
	says 'could not be printed'
	unchanged rc 3 bash -c 'gltoken issue --name closed --user alice --scope api >&-'
	says 'none was issued'
	rc 3 bash -c 'gltoken list >/dev/full'
	rc 3 bash -c 'gltoken list >&-'
	ok bash -c 'gltoken list >/dev/null 2>&- <&-'
}

test_secret_is_not_taken_from_the_command_line() {
	local args
	new_token --user alice --scope read_repository
	for args in show revoke identify 'list --user' 'explain --op pull --repo demo/hello --id' 'edit 1 --description' \
		'member list' ''; do
		# shellcheck disable=SC2086 # words
		unchanged rc 2 gltoken $args "$TOKEN"
		says 'holds a token'
		hides "${TOKEN:(-14)}"
	done
	unchanged rc 2 gltoken show "x=$TOKEN,y"
	ok gltoken show "$ID"
}

test_list() {
	local from
	new_token --user carol --scope read_repository --expires 2d
	from=$((ID - 1))
	new_token --user carol --scope api --expires 20d
	new_token --project demo/listed --role reporter --scope read_repository
	new_token --deploy demo/listed --scope write_repository
	gltoken revoke "$ID"
	ids() { # EXPECTED ARG...
		ok gltoken list --json --after "$from" "${@:2}"
		json "[.[].id - $from] == $1"
	}
	ids '[1, 2, 3]'
	ids '[1, 2, 3, 4]' --state all
	ids '[4]' --state inactive
	ids '[4]' --state revoked
	ids '[]' --state expired
	ids '[1, 2]' --user carol
	ids '[]' --user alice
	ids '[3, 4]' --project demo/listed --state all
	ids '[]' --group demo/listed
	ids '[]' --project demo/liste --state all
	ids '[4]' --type deploy --state all
	ids '[1, 3]' --scope read_repository
	ids '[1]' --user carol --expires-within 7d
	ids '[1, 2]' --user carol --expires-within +30d
	ids '[1, 2]' --limit 2
	ids '[3, 2]' --sort -id --limit 2
	ids '[1, 2]' --user carol --sort expires_at
	ids '[2, 1]' --user carol --sort -expires_at
	ok gltoken list --user carol --raw --noheadings
	says "^$((from + 1)) personal t-.* carol  read_repository active 20..-..-..T..:..:..Z$"
	ok gltoken list --user carol --csv
	says $'^id,type,name,.*\r$'
	says $'^[0-9]+,personal,.*,carol,.*read_repository,active,true,false,20..-..-..T.*Z,\r$'
	ok env TZ=XYZ-2 gltoken list --user carol
	says 'EXPIRES'
	says '20..-..-.. ..:.. XYZ'
	ok gltoken list --user nobody-has-one --json
	json '. == []'
	rc 2 gltoken list --state dead
	rc 2 gltoken list --sort colour
	rc 2 gltoken list --json --csv
	rc 2 gltoken list --type bot
	rc 2 gltoken list --scope bogus
	rc 2 gltoken list --limit 0
}

test_table_fits_the_terminal() {
	new_token --user carol --scope read_repository,write_repository,api,read_api
	ok script -qec "stty cols 60; NO_COLOR=1 gltoken list --user carol" /dev/null
	awk '{ sub(/\r$/, ""); if (length($0) > 60) exit 1 }' "$T/out" || fail "wider than the terminal: $(outcome)"
	ok gltoken list --user carol
	says 'api,read_api,read_repository,write_repository'
}

test_show_and_its_zone() {
	new_token --user alice --scope api --allow-from 192.0.2.0/24,2001:db8::/32
	ok gltoken show "$ID"
	says 'allowed from 192.0.2.0/24'
	says '2001:db8::/32'
	ok env TZ=XYZ-2 gltoken show "$ID"
	says 'expires .*:.*:.* XYZ'
	ok gltoken show "$ID" --json
	json '(.expires_at | test("Z$")) and (has("token") | not)'
	unchanged rc 1 gltoken show 999999
	says 'no token with id 999999'
	unchanged rc 1 gltoken show alice/no-such
}

test_last_use() {
	new_token --user alice --scope read_repository
	ok gltoken show "$ID" --json
	json '.last_used_at == null and .last_used_ips == []'
	INPUT=$(printf 'verb=verify\nsecret=%s\naccount=git\nservice=sshd\nrhost=192.0.2.7\n\nx' "$TOKEN")
	INPUT=${INPUT%x} ok /usr/libexec/gltoken/gltoken-auth
	says 'verdict=allow'
	ok gltoken show "$ID" --json
	json '.last_used_ips == ["192.0.2.7"] and ((.last_used_at | fromdate) - now | . > -100 and . <= 1)'
	ok gltoken show "$ID"
	says 'last used .*20..-..-..'
	says 'from +192.0.2.7'
	ok gltoken list --user alice --csv
	says "^$ID,.*,20..-..-..T..:..:..Z"$'\r$'
}

test_change() {
	new_token --user alice --scope read_repository
	ok gltoken scope "$ID" --add write_repository,read_api --json
	json '.scopes == ["read_api", "read_repository", "write_repository"]'
	ok gltoken scope "$ID" --remove read_api --json
	json '.scopes == ["read_repository", "write_repository"]'
	unchanged rc 1 gltoken scope "$ID" --remove read_repository,read_api
	says 'the token has no scope read_api$'
	ok gltoken scope "$ID" --set api --json
	json '.scopes == ["api"]'
	unchanged rc 2 gltoken scope "$ID" --remove api
	unchanged rc 2 gltoken scope "$ID" --set bogus
	unchanged rc 2 gltoken scope "$ID"
	unchanged rc 1 gltoken scope 999999 --set api
	ok gltoken expire "$ID" --at +10d --json
	json '(.expires_at | fromdate) - now | . > 863000 and . < 865000'
	unchanged rc 2 gltoken expire "$ID" --at 2020-01-01
	unchanged rc 1 gltoken expire "$ID" --at never
	unchanged rc 1 gltoken expire "$ID" --at 9999d
	ok gltoken edit "$ID" --name 'new name' --allow-from 192.0.2.1 --only-repo 'demo/**' --service sshd,http \
		--max-uses 5 --pause --description d --json
	json '.name == "new name" and .allow_from == ["192.0.2.1"] and .only_repo == ["demo/**"] and .max_uses == 5'
	json '.services == ["sshd", "http"] and .paused and .state == "paused" and .description == "d" and .active'
	ok gltoken edit 'alice/new name' --allow-from '' --only-repo '' --service '' --max-uses 0 --resume --description '' --json
	json '.allow_from == [] and .only_repo == [] and .services == [] and .max_uses == null and .state == "active"'
	# All of an edit or none of it.
	unchanged rc 2 gltoken edit "$ID" --name other --allow-from nonsense
	ok gltoken show "$ID" --json
	json '.name == "new name"'
	unchanged rc 2 gltoken edit "$ID"
	unchanged rc 2 gltoken edit "$ID" --pause --resume
	ok gltoken expire "$ID" --at now --json
	json '.state == "expired" and .active == false'
	ok gltoken list --user alice --state expired --json
	json "any(.[]; .id == $ID)"
}

test_expiry_errors_name_value_and_rule() {
	rc 2 gltoken issue --name past --user alice --scope api --expires 2020-01-31
	says 'expiry 2020-01-31T00:00:00Z lies in the past'
	rc 1 gltoken issue --name far --user alice --scope api --expires 366d
	says 'max_lifetime = 365d'
	mkdir -p /etc/gltoken
	cp /etc/gltoken/gltoken.conf "$T/conf"
	printf '[policy]\nmax_lifetime = 12h\n' >>/etc/gltoken/gltoken.conf
	rc 1 gltoken issue --name far --user alice --scope api --expires 1d
	cp "$T/conf" /etc/gltoken/gltoken.conf
	says 'max_lifetime = 12h'
}

test_rotate() {
	local old
	new_token --user alice --scope read_repository --description kept
	old=$ID
	ok gltoken rotate "$old" --overlap 1h --expires 3d --json
	json ".previous == $old and .family == $old and .description == \"kept\" and .scopes == [\"read_repository\"]"
	json '.token | test("^glpat-[0-9A-Za-z]{20}$")'
	ID=$(jq .id "$T/out")
	ok gltoken show "$old" --json
	json ".next == $ID and .active"
	unchanged rc 1 gltoken rotate "$old"
	says 'already revoked'
	# the old one goes on working, and who revokes the new one is told so
	ok gltoken rotate "$ID" --overlap 1h --json
	ok gltoken revoke "$(jq .id "$T/out")"
	says "note: token $ID, which it replaced, works until .*: gltoken revoke $ID"
	ok gltoken revoke "$ID"
	says "note: token $old, "
	ok gltoken revoke "$old"
	hides 'note:'
	new_token --user alice --scope read_repository
	old=$ID
	ok gltoken rotate "$old" --overlap 1h --json
	ID=$(jq .id "$T/out")
	ok gltoken rotate "$ID"
	[[ $(cat "$T/out") =~ ^glpat-[0-9A-Za-z]{20}$ ]] || fail "not one token: $(outcome)"
	ok gltoken show "$ID" --json
	json '.revoked and .revoked_why == "rotated"'
	unchanged rc 2 gltoken rotate "$old" --expires 3d --keep-lifetime
	ok gltoken revoke --family "$ID" --dry-run
	says '2 to revoke, 1 revoked before'
}

test_revoke() {
	local a b
	new_token --user bob --scope api
	a=$ID
	new_token --user bob --scope api
	b=$ID
	unchanged rc 1 gltoken revoke "$a" 999999
	unchanged rc 2 gltoken revoke
	unchanged rc 2 gltoken revoke "$a" --user bob
	unchanged ok gltoken revoke "$a" "$b" --dry-run
	says '2 to revoke'
	ok gltoken revoke "$a" --reason 'laptop lost'
	ok gltoken show "$a" --json
	json '.revoked and (.active | not) and .revoked_why == "laptop lost" and .revoked_at != null'
	unchanged rc 1 gltoken revoke "$a"
	says 'already revoked'
	ok gltoken revoke --user bob --json
	json "[.[].id] | index($b) != null"
	unchanged ok gltoken revoke --user bob
	unchanged rc 1 gltoken revoke --user no-such-user
	unchanged rc 1 gltoken revoke --user no-such-user --issued-before 2020-01-01
	new_token --project demo/gone --role reporter --scope read_repository
	new_token --deploy demo/gone --scope read_repository
	new_token --group demo/gone --role reporter --scope read_repository
	ok gltoken revoke --project demo/gone
	says '2 revoked'
	ok gltoken revoke --group demo/gone
	says '1 revoked'
	new_token --user bob --scope api
	unchanged ok gltoken revoke --user bob --issued-before 2020-01-01
	ok gltoken revoke --user bob --issued-before +1d
	says '1 revoked'
}

test_leaked_tokens_on_stdin() {
	local real id wrong unknown=glpat-AAAAAABBBBBBBBBBBBBB
	new_token --user alice --scope api
	# The public part with another secret is not the token.
	wrong=${TOKEN:0:12}$(tr 0-9A-Za-z 1-9A-Za-z0 <<<"${TOKEN:(-14)}") id=$ID
	new_token --user bob --scope api
	real=$TOKEN
	INPUT="see https://x:$real@host/, $unknown; ${real%?}! ${real%??}__ again $real" ok gltoken identify --json
	json "length == 2 and .[0].id == $ID and .[0].found == \"real\" and .[0].times == 2"
	json '.[1].found == "unknown" and (.[1] | has("id") | not)'
	hides "${real:(-14)}"
	INPUT=$wrong rc 1 gltoken identify
	says 'wrong secret'
	hides "alice|\\b$id\\b"
	INPUT=$wrong rc 1 gltoken identify --json
	json '.[0].found == "wrong secret" and (.[0] | has("id") or has("user") | not)'
	unchanged rc 1 gltoken identify
	says 'no token'
	INPUT=$wrong unchanged rc 1 gltoken revoke --stdin
	says '0 real'
	INPUT="$real $wrong $unknown" unchanged ok gltoken revoke --stdin --dry-run
	says '1 to revoke'
	INPUT="$wrong $real $unknown" ok gltoken revoke --stdin --reason leaked
	says '1 real .*, 1 with a wrong secret, 1 unknown'
	says '1 revoked'
	hides "${real:(-14)}"
	INPUT=$real unchanged ok gltoken revoke --stdin
	says 'dead already'
	ok gltoken show "$ID" --json
	json '.revoked_why == "leaked"'
	ok gltoken show "$id" --json
	json '.active'
}

test_a_file_that_is_not_there() {
	local args
	for args in 'apply FILE' 'import FILE' 'restore FILE' 'config check FILE' 'key add alice FILE' \
		"issue --from-file FILE --output $T/list --user alice --scope api"; do
		# shellcheck disable=SC2086 # words
		unchanged rc 1 gltoken ${args/FILE/$T/none}
		says "$T/none: No such file"
	done
	ok gltoken backup "$T/backup"
	unchanged rc 1 gltoken restore "$T/backup" --force --replay-audit "$T/none"
	says "$T/none: No such file"
	for args in apply import; do unchanged rc 3 gltoken "$args" "$T"; done
}

test_explain() {
	new_token --user alice --scope read_repository
	ok gltoken explain --id "$ID" --repo /demo/hello.git --op pull --json
	json '.allow and .reason == "ok" and .role == "developer" and .access_level == 30 and (.detail | test("demo"))
		and .membership == {"path": "demo", "principal": "alice"}'
	rc 1 gltoken explain --id "$ID" --repo demo/hello --op push --ref main
	says 'scope_missing'
	says 'refs/heads/main'
	rc 1 gltoken explain --id "$ID" --repo other/thing --op pull --json
	json '.reason == "not_a_member" and (.allow | not) and (.visible | not) and .role == null and .membership == null'
	rc 1 gltoken explain --id "$ID" --op login --account alice
	says 'not_git_account'
	ok gltoken explain --id "$ID" --op login --account git
	INPUT=nonsense rc 1 gltoken explain --stdin --repo demo/hello --op pull
	says 'not_a_token'
	INPUT=glpat-AAAAAABBBBBBBBBBBBBB rc 1 gltoken explain --stdin --repo demo/hello --op pull
	says 'unknown_token'
	ok gltoken explain --user alice --repo demo/hello --op push
	rc 1 gltoken explain --user bob --repo demo/hello --op pull
	rc 2 gltoken explain --id "$ID" --repo demo/hello
	rc 2 gltoken explain --id "$ID" --op pull
	rc 2 gltoken explain --id "$ID" --op fly --repo demo/hello
	rc 2 gltoken explain --op pull --repo demo/hello
	rc 2 gltoken explain --id "$ID" --op pull --repo demo/hello --from example.org
	rc 1 gltoken explain --id 999999 --op pull --repo demo/hello
}

e2e_main "$@"
