#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Many tokens at once: from counters and files, resumed wherever a run ended, and the same rules as for one.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

setup() {
	e2e_host
	sed -i '/^\[hash\]$/,/^$/d' /etc/gltoken/gltoken.conf
	printf '\n[hash]\nmemory = 8192\ntime = 1\n' >>/etc/gltoken/gltoken.conf
}

tokens() { # of alice
	gltoken list --user alice --state all --json | jq length
}

bulk() { # ARGUMENT...
	run gltoken issue --user alice --scope read_repository "$@"
}

# Every line's token is that of the record it names.
check_output() { # FILE LINES
	local id holder name token n=0
	while IFS=, read -r id holder name token; do
		[ "$holder" = alice ] || fail "holder $holder"
		INPUT=$token ok gltoken identify --json
		[ "$(jq -r '.[0] | "\(.id) \(.name)"' "$T/out")" = "$id $name" ] || fail "line of $id: $(outcome)"
		n=$((n + 1))
	done < <(tail -n +2 "$1")
	[ "$n" = "$2" ] || fail "$n tokens in $1, not $2"
}

test_count() {
	rm -f "$T/list"
	bulk --name many --count 300 --output "$T/list"
	[ "$RC" = 0 ] || fail "$(outcome)"
	hides 'glpat-'
	[ "$(stat -c %a:%U "$T/list")" = 600:root ] || fail "mode: $(stat -c %a:%U "$T/list")"
	[ "$(cut -d, -f4 "$T/list" | sort -u | wc -l)" = 301 ] || fail "tokens twice"
	head -n 6 "$T/list" >"$T/few"
	check_output "$T/few" 5
	ok gltoken check
	ok gltoken audit verify
	# one of them logs in
	client password "$(sed -n 200p "$T/list" | cut -d, -f4)"
	ok as_dev git ls-remote -q git@test:demo/hello.git
}

test_names_are_taken_once() {
	rm -f "$T"/list*
	ok gltoken issue --user alice --scope read_repository --name row-3
	local before
	before=$(tokens)
	bulk --name row --count 5 --output "$T/list"
	[ "$RC" = 1 ] || fail "$(outcome)"
	says 'row 3: alice has an active token'
	[ "$(tokens)" = "$before" ] || fail "half a batch is in the store"
	[ ! -s "$T/list" ] || fail "lines of tokens that there are not: $(cat "$T/list")"
	printf 'name\nsame\nother\nsame\n' >"$T/rows"
	bulk --from-file "$T/rows" --output "$T/list2"
	[ "$RC" = 1 ] || fail "$(outcome)"
	says 'row 3: alice has an active token .same. already'
	[ "$(tokens)" = "$before" ] || fail "half a batch is in the store"
}

test_csv_and_json() {
	rm -f "$T"/list*
	printf '%s\r\n' 'name,user,project,role,scope,description,allow_from' \
		'c1,bob,,,"read_repository,write_repository","a, ""b""",' 'c2,,demo/hello,30,,,192.0.2.0/24' >"$T/rows"
	ok gltoken issue --from-file "$T/rows" --scope api --output "$T/list"
	ok gltoken show bob/c1 --json
	[ "$(jq -c '[.description, .scopes]' "$T/out")" = '["a, \"b\"",["read_repository","write_repository"]]' ] || fail "$(outcome)"
	ok gltoken show demo/hello/c2 --json
	[ "$(jq -c '[.access_level, .scopes]' "$T/out")" = '[30,["api"]]' ] || fail "$(outcome)"
	printf '%s\n' '{"name": "j1", "user": "bob", "scope": ["read_api", "read_repository"], "max_uses": 3}' '' \
		'{"name": "j2", "group": "demo", "role": "reporter", "scope": "read_api"}' >"$T/rows"
	INPUT=$(cat "$T/rows") ok gltoken issue --from-file - --output "$T/list2" --json
	[ "$(jq -rs 'map(.holder + "/" + .name) | join(" ")' "$T/list2")" = 'bob/j1 demo/j2' ] || fail "$(cat "$T/list2")"
	ok gltoken show bob/j1 --json
}

# Sixty megabytes through a pipe, in less memory than that.
test_rows_are_not_held_in_memory() {
	# shellcheck disable=SC2016 # bash -c expands it
	rc 0 bash -c '{ echo name,user,scope,description; yes "$1" | head -n 250000; } |
		prlimit --as=60000000 gltoken issue --from-file - --dry-run' - "x,bob,api,$(printf '%0220d' 0)"
	says 'Would issue 250000 tokens'
	rc 2 bash -c '{ echo name,user,scope; echo a,bob,api; echo "x,bob,api,"; } | gltoken issue --from-file - --dry-run'
	says 'row 2'
	says "^Try 'gltoken issue --help'"
}

test_bad_rows_are_named_before_anything() {
	local before row
	before=$(gltoken list --state all --json | jq length)
	rm -f "$T"/list*
	while read -r row; do
		printf 'name,user,scope\ngood,bob,api\n%b\n' "$row" >"$T/rows"
		rc 2 gltoken issue --from-file "$T/rows" --output "$T/list"
		says 'row 2'
		[ ! -e "$T/list" ] || fail "the output was made for: $row"
	done <<-'END'
		bad,bob,nonsense
		bad,b@d,api
		bad,bob
		bad,bob,api,more
		"bad,bob,api
		"bad"x,bob,api
		,bob,api
		bad,,api
		b\aad,bob,api
	END
	printf 'name,user,scope\ngood,bob,api\nb\0ad,bob,api\n' >"$T/rows"
	rc 2 gltoken issue --from-file "$T/rows" --output "$T/list"
	says 'row 2.*NUL'
	{ printf 'name,user,scope\nbad,bob,"' && head -c 1100000 /dev/zero | tr '\0' x && printf '"\n'; } >"$T/rows"
	rc 2 gltoken issue --from-file "$T/rows" --output "$T/list"
	says 'row 1.*over 1048576 bytes'
	printf 'name,colour\nx,red\n' >"$T/rows"
	rc 2 gltoken issue --from-file "$T/rows" --user bob --scope api --output "$T/list"
	says "unknown column 'colour'"
	printf '{"name": "x", "user": "bob", "scope": "api"}\n{"name": "y", "name": "z"}\n' >"$T/rows"
	rc 2 gltoken issue --from-file "$T/rows" --output "$T/list"
	says 'row 2'
	printf '' >"$T/rows"
	rc 2 gltoken issue --from-file "$T/rows" --user bob --scope api --output "$T/list"
	rc 2 gltoken issue --count 2 --name x --user bob --scope api
	rc 2 gltoken issue --count 2 --from-file "$T/rows" --output "$T/list"
	rc 2 gltoken issue --count 0 --name x --user bob --scope api --output "$T/list"
	rc 2 gltoken issue --output "$T/list" --name x --user bob --scope api
	printf 'name\na\nb\n' >"$T/rows"
	ok gltoken issue --from-file "$T/rows" --user bob --scope api --dry-run
	says 'Would issue 2 tokens'
	[ "$(gltoken list --state all --json | jq length)" = "$before" ] || fail "a token was issued"
}

# Killed at any moment: what is in the file is in the store and the other way round, once it was resumed.
test_resume() {
	local i n
	rm -f "$T/list"
	gltoken issue --user alice --scope read_repository --name resumed --count 1200 --output "$T/list" 2>/dev/null &
	sleep 1
	kill -KILL $! 2>/dev/null || true
	wait $! 2>/dev/null || true
	for i in 1 2 3; do
		timeout -s KILL 1 gltoken issue --user alice --scope read_repository --name resumed --count 1200 \
			--output "$T/list" --resume 2>/dev/null || true
	done
	# a line whose token never came about, and half a line
	printf '99999,alice,resumed-x,glpat-aaaaaabbbbbbbbbbbbbb\n1,ali' >>"$T/list"
	bulk --name resumed --count 1200 --output "$T/list" --resume
	[ "$RC" = 0 ] || fail "$(outcome)"
	n=$(gltoken list --user alice --state all --json | jq '[.[] | select(.name | startswith("resumed-"))] | length')
	[ "$n" = 1200 ] || fail "$n tokens in the store"
	[ "$(wc -l <"$T/list")" = 1201 ] || fail "$(wc -l <"$T/list") lines"
	[ "$(cut -d, -f3 "$T/list" | tail -n +2 | sort -u | wc -l)" = 1200 ] || fail "names twice"
	{ head -n 1 "$T/list" && tail -n 3 "$T/list"; } >"$T/few"
	check_output "$T/few" 3
	# done already: nothing more; another run's file: refused, and left as it is
	bulk --name resumed --count 1200 --output "$T/list" --resume
	[ "$RC" = 0 ] || fail "$(outcome)"
	bulk --name other --count 1200 --output "$T/list" --resume
	[ "$RC" = 1 ] || fail "$(outcome)"
	says 'is not of this run'
	[ "$(wc -l <"$T/list")" = 1201 ] || fail "it was cut"
}

test_output_is_safe() {
	rm -f "$T"/list*
	: >"$T/list"
	bulk --name safe --count 2 --output "$T/list"
	[ "$RC" = 1 ] || fail "an old file was taken: $(outcome)"
	ln -s "$T/elsewhere" "$T/list2"
	bulk --name safe --count 2 --output "$T/list2"
	if [ "$RC" != 1 ] || [ -e "$T/elsewhere" ]; then fail "a symbolic link was followed"; fi
	chmod 644 "$T/list"
	bulk --name safe --count 2 --output "$T/list" --resume
	[ "$RC" = 1 ] || fail "others can read it: $(outcome)"
	# a full disk: no token without its line
	mkdir -p "$T/small"
	mount -t tmpfs -o size=4k tmpfs "$T/small"
	head -c 4096 /dev/zero >"$T/small/full"
	bulk --name safe --count 2 --output "$T/small/list"
	[ "$RC" = 3 ] || fail "$(outcome)"
	umount "$T/small"
	no gltoken show alice/safe-1
}

# Page after page is the whole list, whichever index a filter walks and wherever its reading stops.
test_pages() {
	local filter after n
	rm -f "$T"/list*
	printf 'name,user,scope,expires\n' >"$T/rows"
	for n in {1..1500}; do echo "page-$n,bob,$((n % 50 ? 0 : 1)),$((n % 30 + 1))d"; done |
		sed 's/,0,/,api,/; s/,1,/,"api,read_api",/' >>"$T/rows"
	ok gltoken issue --from-file "$T/rows" --output "$T/list"
	for filter in '--user bob' '--user bob --scope read_api' '--expires-within 10d' '--scope read_api'; do
		# shellcheck disable=SC2086 # words of a filter
		gltoken list $filter --json | jq '.[].id' >"$T/whole"
		[ "$(wc -l <"$T/whole")" -ge 30 ] || fail "$filter: $(wc -l <"$T/whole") only"
		: >"$T/pages"
		after=0
		while :; do
			# shellcheck disable=SC2086
			gltoken list $filter --limit 170 --after "$after" --json | jq '.[].id' >"$T/page"
			[ -s "$T/page" ] || break
			after=$(tail -n 1 "$T/page")
			cat "$T/page" >>"$T/pages"
		done
		cmp "$T/whole" "$T/pages" || fail "$filter: pages differ from the whole"
	done
}

test_progress_on_a_terminal() {
	rm -f "$T/list"
	ok script -qefc "gltoken issue --user alice --scope read_repository --name bar --count 150 --output $T/list" /dev/null
	says '150/150, [0-9]+/s'
}

e2e_main "$@"
