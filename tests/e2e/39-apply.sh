#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# apply: one file says who there is and what they may do.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

setup() {
	e2e_host
	groupadd devs
}

json() {
	jq -e "$1" "$T/out" >/dev/null || fail "not so: $1: $(outcome)"
}

# Nothing in the store differs after COMMAND.
unchanged() {
	local before after
	before=$(gltoken audit list --limit 1 --json)
	"$@"
	after=$(gltoken audit list --limit 1 --json)
	[ "$before" = "$after" ] || fail "it changed the store: $LAST"
}

wanted() { # FILE: what a file for this host may say
	cat >"$1" <<-END
		# people
		user zoe Zoë Virtual
		member demo alice developer
		  member demo/hello.git/ zoe maintainer
		member demo @devs reporter

		protect demo/hello main push=maintainer
		protect demo/hello refs/tags/v* push=maintainer force=nobody delete=maintainer
		key zoe $(cut -d ' ' -f 1,2 "$KEY.pub") zoe at home
		deploy-key demo/hello write $(cat "$DEPLOY.pub")
	END
}

test_apply() {
	KEY=$(new_key) DEPLOY=$(new_key)
	wanted "$T/file"
	unchanged rc 1 gltoken apply "$T/file" --check --diff
	says '^\+ user zoe Zoë Virtual'
	says '^\+ member demo @devs reporter'
	says '^would be: 7 added, 0 changed, 0 removed'
	ok gltoken apply "$T/file" --diff
	says '^7 added, 0 changed, 0 removed'
	unchanged ok gltoken apply "$T/file" --diff
	[ "$(cat "$T/out")" = unchanged ] || fail "not unchanged: $(outcome)"
	unchanged ok gltoken apply "$T/file" --check
	client publickey "$KEY"
	ok git_ ls-remote git@host:demo/hello.git
	client publickey "$DEPLOY"
	ok git_ ls-remote git@host:demo/hello.git
	no git_ ls-remote git@host:demo/other.git
	sed -i 's/zoe maintainer/zoe owner/; s/write ssh/read ssh/; s/v\* push=maintainer/v* push=developer/; s/Virtual/V./' "$T/file"
	unchanged rc 1 gltoken apply "$T/file" --check --json
	json '.differs and (.changed | not) and (.differences | map(.change) | unique) == ["change"]
		and any(.differences[]; .what == "member demo/hello zoe owner" and .was == "maintainer")'
	ok gltoken apply "$T/file"
	says '^0 added, 4 changed, 0 removed'
	INPUT=$(cat "$T/file") unchanged ok gltoken apply -
	says unchanged
	ok gltoken key list --project demo/hello --json
	json '.[0].can_push | not'
	ok gltoken check
	ok gltoken audit verify
	ok gltoken apply "$T/file" --json
	json '(.changed | not) and .differences == []'
}

test_prune() {
	KEY=$(new_key) DEPLOY=$(new_key)
	wanted "$T/file"
	sed -i '/^key\|^deploy\|^user/d; s/.*zoe.*//' "$T/file"
	gltoken user add yan
	gltoken user block carol
	# Only the kinds that the file has.
	unchanged rc 1 gltoken apply "$T/file" --prune --check
	says '^- member demo bob reporter'
	says '^- member secret/vault erin developer'
	hides '^- (user|key)'
	ok gltoken apply "$T/file" --prune
	says '^- member demo bob reporter'
	unchanged ok gltoken apply "$T/file" --prune
	says unchanged
	ok gltoken member list --json
	json 'map([.path, .principal]) == [["demo", "@devs"], ["demo", "alice"]]'
	ok gltoken user list --json
	json 'any(.[]; .username == "yan")'
	INPUT=$(new_key) ok gltoken key add yan "$(new_key).pub"
	gltoken member set demo yan reporter
	printf 'user xia\n' >"$T/users"
	ok gltoken apply "$T/users" --prune
	says '^- user yan'
	ok gltoken user list --json
	json 'any(.[]; .username == "xia") and all(.[]; .username != "yan") and
		any(.[]; .username == "carol" and .state == "blocked")'
	ok gltoken member list demo --json
	json 'all(.[]; .principal != "yan")'
	new_token --user xia --scope api
	printf 'user wen\n' >"$T/users"
	unchanged rc 1 gltoken apply "$T/users" --prune
	says 'revoke --user xia'
	ok gltoken user unblock carol
	ok gltoken check
}

# One line that is wrong, and nothing is done.
test_wrong_lines() {
	local line key
	key=$(new_key)
	gltoken key add alice "$key.pub"
	while IFS= read -r line; do
		printf 'member demo alice maintainer\n\n%s\n' "$line" >"$T/file"
		unchanged no gltoken apply "$T/file"
		[ "$RC" = 1 ] || [ "$RC" = 2 ] || fail "status $RC: $(outcome)"
		says 'line 3'
	done <<-END
		membr demo alice developer
		member demo alice
		member demo alice boss
		member demo alice developer more
		member ../x alice developer
		member demo nobodyknows developer
		member demo @nosuchgroup developer
		member demo @gltoken developer
		member demo alice developer
		protect demo/hello main
		protect demo/hello main push=owner
		protect demo/hello main push=developer move=developer
		protect demo/hello [ push=developer
		user root
		user project_1_bot_ab
		user 12345
		key alice
		key alice ssh-ed25519 AAAA
		key nobodyknows $(cat "$(new_key).pub")
		key bob $(cat "$key.pub")
		deploy-key demo/hello both $(cat "$(new_key).pub")
		deploy-key demo/hello read $(cat "$key.pub")
	END
	printf 'user a\0b\n' >"$T/file"
	unchanged rc 2 gltoken apply "$T/file"
	says 'line 1'
	unchanged rc 1 gltoken apply "$T/no-such-file"
	unchanged rc 2 gltoken apply
	: >"$T/empty"
	unchanged ok gltoken apply "$T/empty" --prune
	says unchanged
	rc 3 setpriv --reuid nobody --regid nogroup --clear-groups gltoken apply "$T/empty"
}

e2e_main "$@"
