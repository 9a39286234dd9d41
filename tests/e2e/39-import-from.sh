#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gltoken import from the files of gitolite, htpasswd and sshd: what is taken over, and that nothing is widened.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

setup() {
	local u
	for u in alice bob erin; do useradd -m -s /bin/bash "$u"; done
	gltoken init
	gltoken member set kept alice owner
}

# The memberships that are there, one a line: PATH PRINCIPAL ROLE.
members() {
	gltoken member list --raw --noheadings | awk '{ print $1, $2, $3 }' | sort
}

from() { # [OPTION]... <gitolite.conf
	cat >"$T/gitolite.conf"
	ok gltoken import --gitolite "$T/gitolite.conf" "$@"
}

test_what_a_rule_says_is_granted() {
	from --dry-run <<-'END'
		@devs   = alice vera      # vera has no account here
		@repos  = one two
		repo @repos
		    RW+     = @devs
		    R       = bob
		repo one
		    R       = erin
		    desc    = "a = b # no comment"
	END
	says '^would be: 8 added'
	[ "$(members)" = 'kept alice owner' ] || fail "a dry run changed: $(members)"
	ok gltoken import --gitolite "$T/gitolite.conf"
	says '^\+ user vera$'
	says '^\+ member two bob reporter$'
	says '^8 added'
	diff -u - <(members) <<-'END' || fail 'other members'
		kept alice owner
		one alice developer
		one bob reporter
		one erin reporter
		one vera developer
		two alice developer
		two bob reporter
		two vera developer
	END
	ok gltoken import --gitolite "$T/gitolite.conf"
	says '^0 added'
	ok gltoken audit verify
}

test_what_is_there_stays() {
	ok gltoken member set stay alice maintainer
	ok gltoken member set stay bob guest
	from <<-'END'
		repo stay
		    RW+ = alice bob erin
	END
	says '^! member stay bob developer  \(there: guest\)$'
	says '^\+ member stay erin developer$'
	diff -u - <(members | grep ^stay) <<-'END' || fail 'other members'
		stay alice maintainer
		stay bob guest
		stay erin developer
	END
}

# What gitolite lets less than a developer may becomes reading, and is said with its line.
test_nothing_is_widened() {
	from <<-'END'
		repo refex
		    RW+ topic/   = alice
		    RW           = bob
		repo deny
		    RW+          = alice bob erin
		    -   main     = bob
		repo deny-group
		    -            = @all
		    RW+          = alice
		repo deny-read
		    option deny-rules = 1
		    -            = bob
		    RW+          = alice bob
		repo flags
		    RW+D         = alice
		    RW+          = bob
		repo merges
		    RW+M         = alice
		    RW+          = bob
	END
	says '^! line 2: refex: it is for some refs only; alice may read it$'
	says '^! line 3: refex: it lets do less than a developer may .*; bob may read it$'
	says '^! line 5: deny: a rule denies some of it \(line 6\); bob may read it$'
	says '^! line 9: deny-group: a rule denies some of it \(line 8\); alice may read it$'
	says '^! line 13: deny-read: line 12 denies bob, reading too \(deny-rules\)$'
	diff -u - <(members | grep -E '^(refex|deny|flags|merges)') <<-'END' || fail 'other members'
		deny alice developer
		deny bob reporter
		deny erin developer
		deny-group alice reporter
		deny-read alice developer
		flags alice developer
		flags bob reporter
		merges alice developer
		merges bob reporter
		refex alice reporter
		refex bob reporter
	END
	from --rw-as-developer <<-'END'
		repo wide
		    RW      = alice
		    RW main = bob
		    RW      = erin
		    -  x    = erin
	END
	diff -u - <(members | grep -E '^wide') <<-'END' || fail 'other members'
		wide alice developer
		wide bob reporter
		wide erin reporter
	END
}

test_patterns_everybody_and_programs_are_listed() {
	from <<-'END'
		repo @all
		    R   = alice
		    -   = bob
		repo wild/..*
		    C   = alice
		    RW+ = CREATOR
		    R   = READERS
		repo pub
		    R   = @all daemon
		    RW+ = alice bob
		    config hooks.x = y
	END
	says '^! line 1: repo @all: what stands for all repositories is not granted$'
	says '^! line 4: repo wild/\.\.\*: what stands for repositories by a pattern is not granted$'
	says '^! line 5: C: who may make'
	says '^! line 9: what everybody may do is not granted$'
	says '^! line 9: what everybody may read \(daemon\) is not granted$'
	says '^! line 11: config hooks.x is not taken over$'
	# what is denied on all repositories is denied on this one
	diff -u - <(members | grep -E '^(pub|wild)') <<-'END' || fail 'other members'
		pub alice developer
		pub bob reporter
	END
}

refused() { # TEXT ERE: gltoken import --gitolite says ERE of a file with that text, and changes nothing
	local before
	before=$(members)
	printf '%b' "$1" >"$T/hostile"
	rc 1 gltoken import --gitolite "$T/hostile"
	says "$2"
	[ "$(members)" = "$before" ] || fail "it changed something"
}

test_hostile_files() {
	refused 'repo a\n RW+ = alice\n include "more.conf"\n' 'line 3: include, subconf, macro'
	refused '=begin template-data\nrepo a\n' 'line 1: include, subconf, macro'
	refused 'repo a\n R = al\033[31mice\n' 'line 2: has control characters'
	refused 'repo a\n R = al\000ice\n' 'line 2: has a NUL byte'
	refused "repo a\n R = $(printf '%020000d' 0)\n" 'line 2: over 16382 bytes'
	refused ' RW+ = alice\n' 'line 1: a rule before any repo line'
	refused 'repo @nowhere\n R = alice\n' 'line 1: a group of repositories that is defined nowhere above'
	refused '@a = @b\n@b = alice\n' 'line 1: a group that is defined nowhere above'
	local i
	for i in {1..6}; do printf 'x%.0s ' {1..6000}; printf '\\\n'; done >"$T/long"
	rc 1 gltoken import --gitolite "$T/long"
	says 'line 5: too long with what it continues|line 6: too long'
	from <<-'END'
		repo ../etc a/../b /abs x.git -x
		    RW+ = alice
		repo names
		    R = ../alice $(id) project_1_bot_00000000 1000 -x alice
	END
	says "^! line 1: repo \.\./etc: no name of a project$"
	says "^! line 4: .*reserved for bots"
	[ "$(members | grep -c -E 'etc|abs|bot|1000')" = 0 ] || fail "$(members)"
	[ "$(members | grep ^names)" = 'names alice reporter' ] || fail "$(members)"
	ok gltoken user list --raw --noheadings
	hides '^[^v]'
	ok gltoken check
}

test_htpasswd() {
	# shellcheck disable=SC2016 # a hash, not a variable
	printf '%s\n' '# users' 'hugo:$apr1$abc$def' 'hugo:again' 'ines:{SHA}x' 'a/b:x' 'no-colon' 'alice:x' 'root:x' >"$T/htpasswd"
	ok gltoken import --htpasswd "$T/htpasswd" --dry-run --json
	jq -e '.changed == false and (.added | map(.what)) == ["user hugo", "user ines", "user alice"] and
		(.not_taken | map(.line)) == [3, 5, 6, 8]' "$T/out" >/dev/null || fail "$(outcome)"
	ok gltoken import --htpasswd "$T/htpasswd"
	hides 'apr1|SHA'
	ok gltoken user list --json
	jq -e 'map(.username // .name) | contains(["hugo", "ines"])' "$T/out" >/dev/null || fail "$(outcome)"
	ok gltoken import --htpasswd "$T/htpasswd"
	says '^0 added'
	# no password opens anything
	! grep -aq 'apr1' /var/lib/gltoken/store/store.mdb || fail "a hash was taken"
}

test_authorized_keys() {
	local one two
	one=$(new_key) two=$(new_key)
	{
		echo '# laptop'
		cat "$one.pub"
		echo "command=\"gitolite-shell alice\",no-pty $(cat "$two.pub")"
		echo 'ssh-ed25519 AAAA broken'
		cat "$one.pub"
	} >"$T/authorized_keys"
	ok gltoken import --authorized-keys "$T/authorized_keys" --user alice
	says '^\+ key alice SHA256:'
	says '^! line 3: has options before the key'
	says '^! line 4: '
	says '^! line 5: '
	says '^1 added, 3 not'
	ok gltoken key list alice --json
	[ "$(jq length "$T/out")" = 1 ] || fail "$(outcome)"
	ok gltoken import --authorized-keys "$T/authorized_keys" --user alice
	says '^0 added'
	# the key is hers and stays so
	ok gltoken import --authorized-keys "$T/authorized_keys" --user bob
	says '^! key bob SHA256:.*\(there: alice\)$'
	rc 1 gltoken import --authorized-keys "$two" --user bob
	says 'PRIVATE key'
	# Nobody is made of a name that was mistyped, and no other file passes for a list of keys.
	local more
	more=$(new_key)
	rc 1 gltoken import --authorized-keys "$more.pub" --user alcie
	says "unknown user 'alcie'"
	rc 1 gltoken import --authorized-keys "$more.pub" --user alcie --dry-run
	ok gltoken user list
	hides alcie
	rc 1 gltoken import --authorized-keys /etc/passwd --user alice
	says '^gltoken import: /etc/passwd has no public key that can be taken; line 1: '
	rc 1 gltoken import --gitolite /etc/passwd --dry-run
	says '^! line 1: not understood'
	echo '# none' >"$T/none"
	rc 1 gltoken import --authorized-keys "$T/none" --user alice --json
	says 'none has no public key'
	gltoken user add maya
	ok gltoken import --authorized-keys "$more.pub" --user maya
	says '^1 added, 0 not'
	rc 2 gltoken import --authorized-keys "$one.pub"
	rc 2 gltoken import --authorized-keys "$one.pub" --user ../x
	rc 2 gltoken import --htpasswd x --gitolite y
}

test_keydir() {
	local one two three
	one=$(new_key) two=$(new_key) three=$(new_key)
	mkdir -p "$T/keydir/office"
	cp "$one.pub" "$T/keydir/bob.pub"
	cp "$two.pub" "$T/keydir/office/bob@laptop.pub"
	cp "$three.pub" "$T/keydir/zoe.pub"
	cp "$three.pub" "$T/keydir/zoe@example.org.pub"
	ln -s "$one.pub" "$T/keydir/erin.pub"
	echo junk >"$T/keydir/alice.pub"
	touch "$T/keydir/README"
	ok gltoken import --keydir "$T/keydir"
	says '^\+ user zoe$'
	says '^3 added|^4 added'
	says '^! .*keydir/erin.pub: cannot be opened, or is a link$'
	says '^! .*keydir/alice.pub: line 1: '
	says "^! .*keydir/zoe@example.org.pub: account name"
	ok gltoken key list bob --json
	[ "$(jq length "$T/out")" = 2 ] || fail "$(outcome)"
	ok gltoken key list erin --json
	[ "$(jq length "$T/out")" = 0 ] || fail "$(outcome)"
	ok gltoken import --keydir "$T/keydir"
	says '^0 added'
	rc 1 gltoken import --keydir /nowhere
}

test_a_large_file() {
	{
		printf '@all-devs ='
		printf ' u%s' {1..60}
		printf '\n@r ='
		printf ' big/p%s' {1..10}
		printf '\nrepo @r\n RW+ = @all-devs\n'
	} >"$T/big"
	ok gltoken import --gitolite "$T/big"
	says '^660 added'
	{
		cat "$T/big"
		printf '@s ='
		printf ' more/p%s' {1..350}
		printf '\nrepo @s\n R = @all-devs\n'
	} >"$T/bigger"
	LIMIT=150 rc 1 gltoken import --gitolite "$T/bigger"
	says 'more than 20000'
}

e2e_main "$@"
