#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# make-fixture.sh DIR, in a private root with a released gltoken installed: a store of its schema as text, with what can
# stand in one, for tests of later versions. Once for each schema, before it changes:
#
#   store.dump   mdb_dump of every table     key     32 bytes in hex     tokens   WANT TOKEN a line
set -euo pipefail

dir=$1
out=$dir/tokens
mkdir -p "$dir"
: >"$out"

printf '[policy]\nrequire_expiry = no\nmax_lifetime = 0s\n' >/etc/gltoken/gltoken.conf
gltoken init
gltoken repo create demo/hello
gltoken user add zoe
gltoken user add yan
gltoken user add max
gltoken member set demo zoe developer
gltoken member set demo yan maintainer
gltoken member set demo/hello max reporter
gltoken protect demo/hello 'release/*' --push maintainer

issue() { # WANT ARGUMENT...
	local want=$1
	shift
	echo "$want $(gltoken issue --expires never "$@" 2>/dev/null)" >>"$out"
}
issue allow --name live --user zoe --scope api
issue allow --name limited --user yan --scope write_repository --max-uses 1000 --only-repo 'demo/*' --description 'a text'
issue allow --name ci --project demo/hello --role developer --scope read_repository
issue allow --name all --group demo --role reporter --scope read_repository
issue allow --name web --deploy demo/hello --scope read_repository
issue revoked --name old --user zoe --scope api
gltoken revoke zoe/old --reason fixture
issue paused --name rest --user zoe --scope api
gltoken edit zoe/rest --pause
issue reused --name turns --user yan --scope api
gltoken rotate yan/turns --expires never --json | jq -r '"allow " + .token' >>"$out"
issue owner_blocked --name theirs --user max --scope api
gltoken user block max
ssh-keygen -q -t ed25519 -N '' -C fixture -f "$dir/k"
gltoken key add zoe "$dir/k.pub"
rm "$dir/k" "$dir/k.pub"
gltoken check

store=/var/lib/gltoken/store
setpriv --reuid gltoken --regid gltoken --clear-groups mdb_dump -a -n "$store/store.mdb" |
	sed '/^mapsize=/d; /^maxreaders=/d; /^db_pagesize=/d; /^duplicates=/d' >"$dir/store.dump" # which mdb_load does not know
od -An -v -tx1 "$store/key" | tr -d ' \n' >"$dir/key"
echo >>"$dir/key"
