#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Git LFS behind the check, with the real git-lfs: over SSH to [git] lfs_transfer, over HTTPS to [git] lfs_backend.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
# shellcheck source=tests/lib/http-tests.sh
. "$E2E_LIB/http-tests.sh"
# shellcheck source=tests/lib/packages.sh
. "$E2E_LIB/packages.sh"

CONF=/etc/gltoken/gltoken.conf

setup() {
	packages_beside git-lfs
	install -m 755 "$E2E_LIB/lfs-transfer.pl" "$E2E_LIB/lfs-cgi.pl" /usr/local/libexec/ 2>/dev/null ||
		install -D -m 755 -t /usr/local/libexec "$E2E_LIB/lfs-transfer.pl" "$E2E_LIB/lfs-cgi.pl"
	install -m 666 /dev/null /tmp/lfs-transfer.log
	install -m 666 /dev/null /tmp/lfs-cgi.log
	e2e_host
	web_start nginx
	settings all
}

settings() { # ssh | http | all | none
	{
		echo '[git]'
		case $1 in ssh | all) echo 'lfs_transfer = /usr/local/libexec/lfs-transfer.pl --keep' ;; esac
		case $1 in http | all) printf '%s\n' 'lfs_backend = /usr/local/libexec/lfs-cgi.pl' "lfs_url = $(web_url)" ;; esac
	} >$CONF
	ok gltoken config check
}

# A clone with a large file, committed as a pointer, that the server does not have. $OID is its name there.
lfs_tree() { # DIR URL
	git_ clone -q -b main /srv/fixture "$1"
	git_ -C "$1" remote set-url origin "$2"
	git_ -C "$1" lfs install --local --force >/dev/null
	git_ -C "$1" lfs track '*.bin' >/dev/null
	head -c 300000 /dev/urandom >"$1/large.bin"
	OID=$(sha256sum <"$1/large.bin" | cut -d' ' -f1)
	commit "$1"
	grep -q oid <(git_ -C "$1" show HEAD:large.bin) || fail "large.bin is no pointer"
}

stored() { # PROJECT OID
	[ "$(sha256sum <"/srv/git/$1.git/lfs/$2" | cut -d' ' -f1)" = "$2" ]
}

test_over_ssh() {
	settings ssh
	new_token --user alice --scope write_repository
	client password "$TOKEN"
	lfs_tree "$T/c" git@host:demo/hello.git
	ok git_ -C "$T/c" push origin HEAD:refs/heads/lfs-ssh
	ok stored demo/hello "$OID"
	logged "event=git decision=allow .*operation=push repository=demo/hello .*owner=alice .*command=lfs-transfer"
	ok git_ clone -q -b lfs-ssh git@host:demo/hello.git "$T/again"
	cmp "$T/c/large.bin" "$T/again/large.bin" || fail "another file came back"
	logged "event=git decision=allow .*operation=pull repository=demo/hello .*command=lfs-transfer"
	grep -q '^demo/hello upload user=alice secret=no$' /tmp/lfs-transfer.log || fail "$(cat /tmp/lfs-transfer.log)"
	ok ssh_ git@host "git-lfs-transfer '/demo/hello.git' download"
	says 'version=1'
}

test_ssh_reads_and_refuses() {
	settings ssh
	new_token --user alice --scope write_repository
	client password "$TOKEN"
	lfs_tree "$T/c" git@host:demo/hello.git
	ok git_ -C "$T/c" push -q origin HEAD:refs/heads/lfs-r
	new_token --user alice --scope read_repository
	client password "$TOKEN"
	ok git_ clone -q -b lfs-r git@host:demo/hello.git "$T/r"
	cmp "$T/c/large.bin" "$T/r/large.bin" || fail "another file came back"
	: >/tmp/lfs-transfer.log
	local op
	for op in upload lock; do
		rc 1 ssh_ git@host "git-lfs-transfer demo/hello $op"
		says 'not allowed to upload code'
	done
	rc 1 ssh_ git@host "git-lfs-transfer secret/vault download"
	says 'could not be found'
	for op in 'demo/hello' 'demo/hello delete' '' 'demo/hello upload download' '../x download' 'demo/none download'; do
		rc 1 ssh_ git@host "git-lfs-transfer $op"
	done
	rc 1 ssh_ git@host "git-lfs-transfer 'demo/hello' 'upload'"
	[ ! -s /tmp/lfs-transfer.log ] || fail "the program was run: $(cat /tmp/lfs-transfer.log)"
	# bob may only read
	new_token --user bob --scope write_repository
	client password "$TOKEN"
	rc 1 ssh_ git@host "git-lfs-transfer demo/hello upload"
	says 'not allowed to push'
	ok ssh_ git@host "git-lfs-transfer demo/hello download"
}

# A client that was told nothing: it asks over SSH where LFS is, and goes on over HTTPS with git's credentials.
test_authenticate_leads_to_https() {
	settings http
	new_token --user alice --scope write_repository
	client password "$TOKEN"
	ok ssh_ git@host 'git-lfs-authenticate demo/hello.git download'
	jq -e --arg href "$(web_url)/demo/hello.git/info/lfs" '.href == $href and .header == {}' "$T/out" >/dev/null ||
		fail "$(outcome)"
	rc 1 ssh_ git@host 'git-lfs-authenticate secret/vault upload'
	hides href
	https_git ls-remote "$(web_url)/demo/hello.git" >/dev/null # makes $T/ask
	client password "$TOKEN"
	lfs_tree "$T/c" git@host:demo/hello.git
	ok as_dev env GIT_ASKPASS="$T/ask" GIT_SSL_CAINFO="$WEB_DIR/cert.pem" git -C "$T/c" push origin HEAD:refs/heads/lfs-auth
	ok stored demo/hello "$OID"
	settings ssh
	rc 1 ssh_ git@host 'git-lfs-authenticate demo/hello download'
	says 'over SSH here'
	settings none
	rc 1 ssh_ git@host 'git-lfs-authenticate demo/hello download'
	says 'not available'
	rc 1 ssh_ git@host 'git-lfs-transfer demo/hello download'
	says 'not available'
}

test_over_https() {
	settings http
	: >/tmp/lfs-cgi.log
	new_token --user alice --scope write_repository
	lfs_tree "$T/c" "$(web_url)/demo/hello.git"
	ok https_git -C "$T/c" push origin HEAD:refs/heads/lfs-http
	ok stored demo/hello "$OID"
	logged "event=git decision=allow .*operation=push repository=demo/hello .*owner=alice .*command=objects/batch"
	new_token --user alice --scope read_repository
	ok https_git clone -q -b lfs-http "$(web_url)/demo/hello.git" "$T/r"
	cmp "$T/c/large.bin" "$T/r/large.bin" || fail "another file came back"
	logged "event=git decision=allow .*operation=pull .*command=objects/batch"
	grep -q 'secret=yes' /tmp/lfs-cgi.log && fail "the backend has seen a secret"
	grep -q '^PUT /demo/hello.git/info/lfs/objects/.* upload alice secret=no$' /tmp/lfs-cgi.log || fail "$(cat /tmp/lfs-cgi.log)"
	lfs_tree "$T/d" "$(web_url)/demo/hello.git"
	no https_git -C "$T/d" lfs push --all origin
	says 'not allowed to upload code|Authorization|403'
	no stored demo/hello "$OID"
}

lfs() { # STATUS PATH [CURL ARGUMENT]...
	status "$1" "/demo/hello.git/info/lfs/$2" -K "$T/curlrc" "${@:3}"
}

batch() { # STATUS JSON
	printf '%s' "$2" >"$T/body"
	lfs "$1" objects/batch -H 'Content-Type: application/vnd.git-lfs+json' --data-binary "@$T/body"
}

# Each request is decided by what it does, and what is not plainly one of both is refused.
test_https_requests() {
	settings http
	local oid
	oid=$(printf '%064d' 0)
	new_token --user alice --scope read_repository
	basic
	batch 200 '{"operation":"download","objects":[]}'
	batch 403 '{"operation":"upload","objects":[]}'
	says '^Content-Type: application/vnd.git-lfs\+json'
	says '\{"message":"You are not allowed to upload code\."\}'
	: >/tmp/lfs-cgi.log
	batch 422 '{"operation":"download","operation":"upload","objects":[]}'
	batch 422 '{"operation":"download","Operation":"upload","objects":[]}'
	batch 422 '{"operation":["download"],"objects":[]}'
	batch 422 '{"operation":"download"} {"operation":"upload"}'
	batch 422 '{"operation":"delete"}'
	batch 422 '[{"operation":"download"}]'
	batch 422 'operation=download'
	batch 422 ''
	head -c 600000 /dev/zero | tr '\0' ' ' >"$T/body"
	lfs 422 objects/batch -H 'Expect:' --data-binary "@$T/body"
	lfs 403 "objects/$oid" -X PUT --data-binary x
	lfs 403 verify -d '{}'
	lfs 403 locks -d '{"path":"x"}'
	lfs 403 locks/verify -d '{}'
	lfs 403 locks/1/unlock -d '{}'
	lfs 403 "objects/$oid" -X DELETE
	lfs 405 "objects/$oid" -X PROPFIND
	lfs 404 "objects/../../HEAD"
	lfs 404 ''
	[ ! -s /tmp/lfs-cgi.log ] || fail "the backend was run: $(cat /tmp/lfs-cgi.log)"
	lfs 404 "objects/$oid"
	says 'not here'
	lfs 200 'locks?path=x'
	status 404 /secret/vault.git/info/lfs/locks -K "$T/curlrc"
	says 'could not be found'
	status 401 /demo/hello.git/info/lfs/locks
	status 401 /demo/hello.git/info/lfs/objects/batch -d '{"operation":"download"}'
	new_token --user alice --scope write_repository
	basic
	batch 200 '{"operation":"upload","objects":[]}'
	lfs 200 locks/verify -d '{}'
	settings none
	lfs 404 locks
}

# What the object is of does not matter for the memory of what is in between.
test_large_object_in_little_memory() {
	settings http
	new_token --user alice --scope write_repository
	basic
	head -c 200000000 /dev/zero >"$T/zeros"
	local oid
	oid=$(sha256sum <"$T/zeros" | cut -d' ' -f1)
	LIMIT=100 lfs 200 "objects/$oid" -H 'Expect:' -T "$T/zeros" --max-time 90
	ok stored demo/hello "$oid"
	rm "/srv/git/demo/hello.git/lfs/$oid"
	local pid peak
	for pid in $(pgrep -x fcgiwrap); do
		peak=$(awk '/^VmHWM/ { print $2 }' "/proc/$pid/status")
		[ "$peak" -lt 60000 ] || fail "fcgiwrap had $peak KiB"
	done
}

test_everybody_reads_what_is_marked() {
	settings http
	printf '[http]\nanonymous_read = yes\n' >>$CONF
	touch /srv/git/demo/other.git/git-daemon-export-ok
	status 200 /demo/other.git/info/lfs/objects/batch -d '{"operation":"download","objects":[]}'
	status 401 /demo/other.git/info/lfs/objects/batch -d '{"operation":"upload","objects":[]}'
	status 401 /demo/hello.git/info/lfs/objects/batch -d '{"operation":"download","objects":[]}'
	rm /srv/git/demo/other.git/git-daemon-export-ok
}

test_settings() {
	printf '[git]\nbackend = gitolite\nlfs_transfer = /usr/local/libexec/lfs-transfer.pl\n' >"$T/conf"
	rc 1 gltoken config check "$T/conf"
	says 'lfs_transfer and lfs_backend need backend = git'
	printf '[git]\nlfs_transfer = lfs-transfer.pl\n' >"$T/conf"
	rc 1 gltoken config check "$T/conf"
	says 'absolute path'
	printf '[git]\nlfs_url = http://example.org/git\n' >"$T/conf"
	rc 1 gltoken config check "$T/conf"
	says 'must be https://'
	printf '[git]\nlfs_backend = /nowhere/lfs --x\n' >$CONF
	rc 1 gltoken config check
	says 'lfs_backend /nowhere/lfs: No such file'
	run gltoken doctor --json
	jq -e 'any(.findings[]; .id == "git_program" and (.what | contains("lfs_backend: /nowhere/lfs")))' "$T/out" >/dev/null ||
		fail "$(outcome)"
	new_token --user alice --scope write_repository
	basic
	lfs 503 locks
	logged 'reason=no_git .*cannot run lfs_backend'
	printf '[git]\nlfs_transfer = /nowhere/lfs\n' >$CONF
	client password "$TOKEN"
	rc 1 ssh_ git@host 'git-lfs-transfer demo/hello download'
	says 'temporarily unavailable'
	settings all
	run gltoken doctor --json
	jq -e 'all(.findings[]; .id != "git_program")' "$T/out" >/dev/null || fail "$(outcome)"
}

e2e_main "$@"
