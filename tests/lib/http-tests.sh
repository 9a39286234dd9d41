# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Git over HTTPS, the same for each web server: $SERVER says which.
# shellcheck source=tests/lib/web.sh
. "$E2E_LIB/web.sh"

setup() {
	e2e_host
	gltoken member set demo mia maintainer 2>/dev/null || { useradd -m mia && gltoken member set demo mia maintainer; }
	web_start "$SERVER"
}

# Git of account dev, with $TOKEN as the password of user name $USERNAME.
https_git() {
	# shellcheck disable=SC2016 # the program's own
	printf '#!/bin/sh\ncase $1 in Username*) echo "%s" ;; *) cat "%s" ;; esac\n' "${USERNAME-token}" "$T/secret" >"$T/ask"
	chmod 755 "$T/ask"
	install -m 600 -o dev -g dev /dev/null "$T/secret"
	printf '%s\n' "$TOKEN" >"$T/secret"
	as_dev env GIT_ASKPASS="$T/ask" GIT_SSL_CAINFO="$WEB_DIR/cert.pem" git "$@"
}

# Status into $STATUS, head and body into $T/out.
http() { # PATH [CURL ARGUMENT]...
	local path=$1
	shift
	run curl -sS -i --path-as-is --cacert "$WEB_DIR/cert.pem" --max-time 30 "$@" "$(web_url)$path"
	STATUS=$(sed -nE '1s,^HTTP/[0-9.]+ ([0-9]+).*,\1,p' "$T/out" | tail -n 1)
}

status() { # STATUS PATH [CURL ARGUMENT]...
	local want=$1
	shift
	http "$@"
	[ "$STATUS" = "$want" ] || fail "should answer $want: $(outcome)"
}

basic() { # as a curl option, by way of a file: no secret in argv
	printf 'user = "%s:%s"\n' "${USERNAME-token}" "$TOKEN" >"$T/curlrc"
	chmod 600 "$T/curlrc"
}

PULL='/info/refs?service=git-upload-pack' PUSH='/info/refs?service=git-receive-pack'

https_tree() { # DIR
	https_git clone -q "$(web_url)/demo/hello.git" "$1" || fail "cannot clone"
	commit "$1"
}

test_clone_fetch_push() {
	local v
	new_token --user alice --scope write_repository
	for v in 0 2; do
		https_git -c protocol.version=$v clone -q "$(web_url)/demo/hello.git" "$T/w$v" || fail "clone by version $v"
		commit "$T/w$v"
		https_git -c protocol.version=$v -C "$T/w$v" push -q origin "HEAD:http$v" || fail "push by version $v"
		https_git -c protocol.version=$v -C "$T/w$v" fetch -q origin || fail "fetch by version $v"
	done
	https_git clone -q --depth 1 "$(web_url)/demo/hello" "$T/shallow" || fail "shallow"
	https_git -C "$T/shallow" fetch -q --unshallow || fail "unshallow"
	server_git demo/hello config uploadpack.allowFilter true
	https_git clone -q --filter=blob:none --no-checkout "$(web_url)/demo/hello" "$T/partial" || fail "partial"
	git_ -C "$T/partial" rev-list --objects --missing=print HEAD | grep -q '^?' || fail "nothing was left out"
	https_git -C "$T/partial" checkout -q main || fail "what was left out does not come later"
	ok https_git -C "$T/w2" push -q --force origin HEAD~1:refs/heads/http2 HEAD:refs/tags/v1
	ok https_git -C "$T/w2" push -q --delete origin http2 http0 v1
	logged "event=git decision=allow reason=ok operation=push repository=demo/hello token=$ID owner=alice account=git service=http rhost=127.0.0.1"
	logged "event=ref decision=allow ref=refs/heads/http2 .*token=$ID "
}

test_tokens_of_every_type() {
	local type
	for type in '--project demo/hello --role developer' '--group demo --role developer' '--deploy demo/hello --username pusher'; do
		# shellcheck disable=SC2086 # options
		new_token $type --scope write_repository
		USERNAME=pusher https_tree "$T/c"
		USERNAME=pusher ok https_git -C "$T/c" push -q origin "HEAD:refs/heads/type-$ID"
		no https_git ls-remote "$(web_url)/secret/vault.git"
		rm -rf "$T/c"
	done
}

test_first_request_is_no_failure() {
	status 401 "/demo/hello.git$PULL"
	says '^HTTP Basic: Access denied\.'
	says '[Ww]{3}-[Aa]uthenticate: Basic realm="Git access token"'
	says '[Cc]ache-[Cc]ontrol: no-store'
	quiet 'event=git decision=deny'
}

test_refusals() {
	new_token --user alice --scope read_repository
	basic
	status 403 "/demo/hello.git$PUSH" -K "$T/curlrc"
	says 'You are not allowed to upload code\.'
	logged "event=git decision=deny reason=scope_missing .*token=$ID "
	status 404 "/secret/vault.git$PULL" -K "$T/curlrc"
	says "The project you were looking for could not be found or you don't have permission to view it\."
	local body
	body=$(tail -n 1 "$T/out")
	status 404 "/demo/absent.git$PULL" -K "$T/curlrc"
	[ "$(tail -n 1 "$T/out")" = "$body" ] || fail "absent and hidden differ: $(outcome)"
	ok gltoken revoke "$ID"
	status 401 "/demo/hello.git$PULL" -K "$T/curlrc"
	logged "reason=revoked .*token=$ID .*service=http rhost=127.0.0.1"
	new_token --user bob --scope write_repository
	basic
	status 403 "/demo/hello.git$PUSH" -K "$T/curlrc"
	says 'You are not allowed to push code to this project\.'
	TOKEN=glpat-0000000000000000zzzz basic
	status 401 "/demo/hello.git$PULL" -K "$T/curlrc"
	logged 'reason=unknown_token .*rhost=127.0.0.1'
	TOKEN=password basic
	status 401 "/demo/hello.git$PULL" -K "$T/curlrc"
	new_token --user alice --scope read_repository --allow-from 192.0.2.0/24
	basic
	status 401 "/demo/hello.git$PULL" -K "$T/curlrc"
	logged 'reason=address_not_allowed'
}

test_git_shows_the_refusal() {
	new_token --user alice --scope read_repository
	https_tree "$T/w"
	no https_git -C "$T/w" push origin HEAD:refused
	says 'You are not allowed to upload code'
	TOKEN=glpat-0000000000000000zzzz
	no https_git ls-remote "$(web_url)/demo/hello.git"
	says 'Access denied|Authentication failed'
}

test_protected_refs() {
	ok gltoken protect demo/hello locked --push maintainer
	new_token --user alice --scope write_repository
	https_tree "$T/w"
	no https_git -C "$T/w" push origin HEAD:locked
	says 'remote: You are not allowed to push code to protected branches'
	new_token --user mia --scope write_repository
	ok https_git -C "$T/w" push origin HEAD:locked
}

test_user_names() {
	new_token --user alice --scope read_repository
	USERNAME=anybody basic
	status 200 "/demo/hello.git$PULL" -K "$T/curlrc"
	USERNAME='' basic
	status 401 "/demo/hello.git$PULL" -K "$T/curlrc"
	printf '[http]\nusername = owner\n' >>/etc/gltoken/gltoken.conf
	USERNAME=anybody basic
	status 401 "/demo/hello.git$PULL" -K "$T/curlrc"
	USERNAME=alice basic
	status 200 "/demo/hello.git$PULL" -K "$T/curlrc"
	sed -i '/^\[http\]$/,$d' /etc/gltoken/gltoken.conf
	new_token --deploy demo/hello --scope read_repository --username robot
	USERNAME=anybody basic
	status 401 "/demo/hello.git$PULL" -K "$T/curlrc"
	USERNAME=robot basic
	status 200 "/demo/hello.git$PULL" -K "$T/curlrc"
	# a token as the user name stands in the web server's log
	new_token --user alice --scope read_repository
	local as_name=$TOKEN
	USERNAME=$as_name TOKEN=x-oauth-basic basic
	status 403 "/demo/hello.git$PULL" -K "$T/curlrc"
	says 'sent as the user name'
}

test_other_headers() {
	new_token --user alice --scope read_repository
	printf 'header = "Authorization: Bearer %s"\n' "$TOKEN" >"$T/curlrc"
	status 200 "/demo/hello.git$PULL" -K "$T/curlrc"
	printf 'header = "PRIVATE-TOKEN: %s"\n' "$TOKEN" >"$T/curlrc"
	status 200 "/demo/hello.git$PULL" -K "$T/curlrc"
	status 400 "/demo/hello.git$PULL" -H 'Authorization: Basic !!!!'
	status 400 "/demo/hello.git$PULL" -H 'Authorization: Negotiate abc'
	status 400 "/demo/hello.git$PULL" -H 'Authorization: Basic bm9jb2xvbg=='
}

test_nothing_else_is_served() {
	new_token --user alice --scope write_repository
	basic
	local p
	for p in /demo/hello.git/HEAD /demo/hello.git/config /demo/hello.git/objects/info/packs /demo/hello.git/info/refs \
		"/demo/hello.git/info/refs?service=git-upload-archive" "/demo/hello.git/info/refs?service=git-upload-pack&x=1" \
		"/demo/../secret/vault.git$PULL" "/demo/%2e%2e/secret/vault.git$PULL" "/demo//hello.git$PULL" \
		"/demo/hello.git/.$PULL" "/demo%2Fhello.git/HEAD" "/demo/hello.git/../../etc/passwd" "/$PULL" "/.git$PULL" \
		"/demo/hello.git/hooks/update" "/demo/hello.git//info/refs?service=git-upload-pack"; do
		http "$p" -K "$T/curlrc"
		case $STATUS in
		400 | 404) ;;
		200) # a server may fold slashes and dots before it asks
			case $p in
			"/demo//hello.git$PULL" | "/demo/hello.git/.$PULL" | *//info/refs*) ;;
			*) fail "$p is served: $(outcome)" ;;
			esac
			;;
		*) fail "$p: $(outcome)" ;;
		esac
		if grep -aq 'root:x:0:' "$T/out"; then fail "$p served /etc/passwd"; fi
	done
	status 405 "/demo/hello.git$PULL" -K "$T/curlrc" -X POST -d x
	status 405 /demo/hello.git/git-upload-pack -K "$T/curlrc"
	# Not the web server's own files either.
	for p in "/demo/hello%0a.git$PULL" "/%0a/index.html"; do
		http "$p" -K "$T/curlrc"
		[ "$STATUS" = 400 ] || [ "$STATUS" = 404 ] || fail "$p: $(outcome)"
		[ "$STATUS" = 400 ] || says '[Cc]ache-[Cc]ontrol: no-store'
	done
	ln -s /srv/git/secret/vault.git /srv/git/demo/way.git
	status 404 "/demo/way.git$PULL" -K "$T/curlrc"
	rm /srv/git/demo/way.git
}

test_enforced_on_post() {
	new_token --user alice --scope read_repository
	basic
	status 401 /demo/hello.git/git-upload-pack -d 0000 -H 'Content-Type: application/x-git-upload-pack-request'
	status 403 /demo/hello.git/git-receive-pack -d 0000 -K "$T/curlrc" -H 'Content-Type: application/x-git-receive-pack-request'
	status 404 /secret/vault.git/git-upload-pack -d 0000 -K "$T/curlrc" -H 'Content-Type: application/x-git-upload-pack-request'
}

test_revoked_between_the_requests_of_one_push() {
	new_token --user alice --scope write_repository
	https_tree "$T/w"
	mkdir -p "$T/w/.git/hooks"
	# The first request is behind it, the next one waits.
	printf '#!/bin/sh\n: >%s/reached\nuntil [ -e %s/go ]; do sleep 0.05; done\n' "$T" "$T" >"$T/w/.git/hooks/pre-push"
	chmod 755 "$T/w/.git/hooks/pre-push"
	https_git -C "$T/w" push origin HEAD:late >"$T/push" 2>&1 &
	local push=$!
	await test -e "$T/reached"
	ok gltoken revoke "$ID"
	touch "$T/go"
	if wait "$push"; then fail "the push went through"; fi
	no server_git demo/hello rev-parse --verify refs/heads/late
}

test_one_owner_of_the_files() {
	new_token --user alice --scope write_repository
	https_tree "$T/w"
	ok https_git -C "$T/w" push origin HEAD:by-http
	client password "$TOKEN"
	git_ -C "$T/w" remote set-url origin git@host:demo/hello.git
	commit "$T/w"
	ok git_ -C "$T/w" push origin HEAD:by-ssh
	local r=/srv/git/demo/hello.git/refs/heads
	[ "$(stat -c '%U:%G %a' $r/by-http)" = "$(stat -c '%U:%G %a' $r/by-ssh)" ] || fail "$(ls -l $r)"
	[ -z "$(find /srv/git -not -user git)" ] || fail "not all is git's: $(find /srv/git -not -user git | head)"
}

test_no_secret_anywhere() {
	new_token --user alice --scope write_repository
	https_tree "$T/w"
	# every process of the push, as the hook finds them
	cat >/srv/git/demo/hello.git/hooks/pre-receive <<-'END'
		#!/bin/sh
		env
		for p in /proc/[0-9]*; do tr '\0' '\n' <"$p/environ"; tr '\0' ' ' <"$p/cmdline"; done 2>/dev/null
	END
	chmod 755 /srv/git/demo/hello.git/hooks/pre-receive
	https_git -C "$T/w" push origin HEAD:seen >"$T/push" 2>&1 || fail "push: $(cat "$T/push")"
	rm /srv/git/demo/hello.git/hooks/pre-receive
	grep -q GL_USERNAME=alice "$T/push" || fail "the hook printed nothing"
	if grep -qF "$TOKEN" "$T/push" || grep -qF "$(printf 'token:%s' "$TOKEN" | base64 -w0)" "$T/push"; then
		fail "the token stands in a process"
	fi
	if grep -rqF "${TOKEN#glpat-}" "$WEB_DIR/log" "$SSHD_DIR/syslog"; then fail "the token stands in a log"; fi
}

test_large_push_in_little_memory() {
	new_token --user alice --scope write_repository
	https_tree "$T/w"
	head -c 200M /dev/urandom >"$T/w/large"
	chown dev: "$T/w/large"
	git_ -C "$T/w" add large
	git_ -C "$T/w" commit -qm large
	(
		peak=0
		while [ ! -e "$T/done" ]; do
			for p in $(pgrep -f 'http-backend$|gltoken-http$|git http-backend'); do
				now=$(sed -nE 's/^VmHWM:\s+([0-9]+).*/\1/p' "/proc/$p/status" 2>/dev/null)
				if [ "${now:-0}" -gt "$peak" ]; then peak=$now; fi
			done
			echo "$peak" >"$T/peak"
			sleep 0.2
		done
	) &
	LIMIT=150 ok https_git -C "$T/w" push origin HEAD:large
	touch "$T/done"
	wait
	local peak
	peak=$(cat "$T/peak")
	[ "$peak" -gt 0 ] || fail "the CGI was not seen"
	[ "$peak" -lt 16384 ] || fail "the CGI took $peak KiB"
	echo "peak of the CGI: $peak KiB"
	[ "$(server_git demo/hello cat-file -s large:large)" = 209715200 ] || fail "what arrived has another size"
	server_git demo/hello update-ref -d refs/heads/large
}

test_gzip_and_chunked() {
	new_token --user alice --scope write_repository
	https_tree "$T/w"
	# more than http.postBuffer: chunked; many haves: gzip
	head -c 3M /dev/urandom >"$T/w/three"
	chown dev: "$T/w/three"
	git_ -C "$T/w" add three
	git_ -C "$T/w" commit -qm three
	ok https_git -C "$T/w" -c http.postBuffer=65536 push origin HEAD:chunked
	https_tree "$T/other"
	ok https_git -C "$T/other" push origin HEAD:side
	# shellcheck disable=SC2016
	as_dev sh -c 'cd "$1" && for i in 1 2 3 4 5 6 7; do for j in 1 2 3 4 5 6 7; do git commit -q --allow-empty -m $i$j; done; done' \
		- "$T/w" || fail "commits"
	as_dev env GIT_TRACE_CURL="$T/w/trace" GIT_ASKPASS="$T/ask" GIT_SSL_CAINFO="$WEB_DIR/cert.pem" \
		git -c protocol.version=0 -C "$T/w" fetch -q origin side || fail "fetch"
	grep -qi 'content-encoding: gzip' "$T/w/trace" || fail "git sent nothing compressed"
	basic
	printf '0011command=fetch0000' | gzip >"$T/body.gz"
	status 200 /demo/hello.git/git-upload-pack -K "$T/curlrc" --data-binary "@$T/body.gz" -H 'Content-Encoding: gzip' \
		-H 'Git-Protocol: version=2' -H 'Content-Type: application/x-git-upload-pack-request'
}

test_credential_helpers() {
	new_token --user alice --scope read_repository
	printf 'https://token:%s@127.0.0.1:%s\n' "$TOKEN" "$(cat "$WEB_DIR/port")" >"$T/store"
	chown dev: "$T/store"
	chmod 600 "$T/store"
	ok as_dev env GIT_SSL_CAINFO="$WEB_DIR/cert.pem" git -c credential.helper="store --file $T/store" ls-remote "$(web_url)/demo/hello"
	as_dev env HOME="$T" git -c credential.helper='cache --timeout 60' credential approve <<-END
		protocol=https
		host=127.0.0.1:$(cat "$WEB_DIR/port")
		username=token
		password=$TOKEN
	END
	ok as_dev env HOME="$T" GIT_SSL_CAINFO="$WEB_DIR/cert.pem" git -c credential.helper=cache ls-remote "$(web_url)/demo/hello"
	as_dev env HOME="$T" git credential-cache exit || true
}

test_store_unavailable() {
	new_token --user alice --scope read_repository
	basic
	mv /var/lib/gltoken/store /var/lib/gltoken/away
	http "/demo/hello.git$PULL" -K "$T/curlrc"
	mv /var/lib/gltoken/away /var/lib/gltoken/store
	[ "$STATUS" = 503 ] || fail "should answer 503: $(outcome)"
	says '[Rr]etry-[Aa]fter: [0-9]+'
}

test_all_hash_slots_busy() {
	new_token --user alice --scope read_repository
	basic
	hold_slots 0 1 2 3
	http "/demo/hello.git$PULL" -K "$T/curlrc"
	give_slots
	[ "$STATUS" = 503 ] || fail "should answer 503: $(outcome)"
	says '[Rr]etry-[Aa]fter: [0-9]+'
	logged 'reason=busy .*service=http'
	status 200 "/demo/hello.git$PULL" -K "$T/curlrc"
}

# A fork shows what it borrows, so it asks for the right to read that as well.
test_alternates() {
	ok gltoken repo create --no-protect demo/fork
	server_git demo/fork fetch -q /srv/fixture main:main
	new_token --user alice --scope read_repository
	basic
	status 200 "/demo/fork.git$PULL" -K "$T/curlrc"
	echo /srv/git/secret/vault.git/objects >/srv/git/demo/fork.git/objects/info/alternates
	status 403 "/demo/fork.git$PULL" -K "$T/curlrc"
	says 'borrows objects'
	logged 'reason=alternate_denied .*secret/vault'
	echo /srv/git/demo/hello.git/objects >/srv/git/demo/fork.git/objects/info/alternates
	status 200 "/demo/fork.git$PULL" -K "$T/curlrc"
}

test_bytes_in_the_log() {
	local size
	new_token --user alice --scope write_repository
	ok https_git clone -q --bare "$(web_url)/demo/hello.git" "$T/c"
	size=$(stat -c %s "$T"/c/objects/pack/*.pack)
	logged "event=transfer operation=pull bytes=$size complete=yes wants=[0-9]+ refs=\S.* repository=demo/hello token=$ID owner=alice via=http rhost=(127.0.0.1|::1) session=[0-9a-f]{12}$"
	https_tree "$T/w"
	ok https_git -C "$T/w" push -q origin HEAD:refs/heads/counted
	logged "event=transfer operation=push bytes=[1-9][0-9]* complete=yes repository=demo/hello token=$ID .* rhost=(127.0.0.1|::1)"
}

# One list for both ways: a hook finds the same names, and the same values but for how the client came.
test_hooks_find_the_same_by_ssh_and_by_http() {
	local way
	new_token --user alice --scope write_repository
	https_tree "$T/w"
	client password "$TOKEN"
	# shellcheck disable=SC2016 # the hook's own
	printf '#!/bin/sh\n{ env; pwd; umask; } | sort >/tmp/hook.$GL_PROTOCOL\n' >/srv/git/demo/hello.git/hooks/post-receive
	chmod 755 /srv/git/demo/hello.git/hooks/post-receive
	ok https_git -C "$T/w" push -q origin HEAD:refs/heads/hook-http
	ok git_ -C "$T/w" push -q git@host:demo/hello.git HEAD:refs/heads/hook-ssh
	rm /srv/git/demo/hello.git/hooks/post-receive
	for way in ssh http; do
		# CGI's own, what git makes of them, and what differs by nature
		sed -E -e '/^(REQUEST_METHOD|QUERY_STRING|CONTENT_|SERVER_PROTOCOL|GATEWAY_|PATH_INFO|REMOTE_|GIT_HTTP|GIT_PROJECT)/d' \
			-e '/^(GIT_COMMITTER_|GIT_PROTOCOL|GIT_QUARANTINE|GIT_OBJECT|GIT_ALTERNATE|GLTOKEN_SESSION|GLTOKEN_LOG_SESSION|GLTOKEN_ADDRESS|_=|SHLVL|OLDPWD)/d' \
			-e '/^GIT_PUSH_OPTION_COUNT/d' -e 's/^GL_PROTOCOL=.*/GL_PROTOCOL=/' \
			-e '/^PATH=/{:again;s,([=:][^:]*git-core):([^:]*git-core):,\1:,;tagain}' "/tmp/hook.$way" >"$T/$way"
	done
	grep -q '^GL_USERNAME=alice$' "$T/http" || fail "the hook found: $(cat "$T/http")"
	diff "$T/ssh" "$T/http" || fail "the two ways differ"
	if grep -E '^HTTP_|AUTHORIZATION|GIT_CONFIG_|GLTOKEN_SESSION' /tmp/hook.http; then fail "the hook has more than it may"; fi
}

test_anonymous_read() {
	status 401 "/demo/hello.git$PULL"
	printf '[http]\nanonymous_read = yes\n' >>/etc/gltoken/gltoken.conf
	status 401 "/demo/hello.git$PULL"
	touch /srv/git/demo/hello.git/git-daemon-export-ok
	status 200 "/demo/hello.git$PULL"
	status 401 "/demo/hello.git$PUSH"
	status 401 "/demo/other.git$PULL"
	status 401 "/demo/absent.git$PULL"
	printf '[policy]\nallow_from = 192.0.2.0/24\n' >>/etc/gltoken/gltoken.conf
	status 401 "/demo/hello.git$PULL"
	sed -i 's,^allow_from = .*,allow_from = 127.0.0.0/8 ::1,' /etc/gltoken/gltoken.conf
	status 200 "/demo/hello.git$PULL"
	sed -i '/^\[http\]$/,$d' /etc/gltoken/gltoken.conf
	status 401 "/demo/hello.git$PULL"
	rm /srv/git/demo/hello.git/git-daemon-export-ok
}

test_proxies() {
	new_token --user alice --scope read_repository --allow-from 198.51.100.7
	basic
	status 401 "/demo/hello.git$PULL" -K "$T/curlrc" -H 'X-Forwarded-For: 198.51.100.7'
	printf '[http]\ntrusted_proxies = 127.0.0.1, 203.0.113.0/24\n' >>/etc/gltoken/gltoken.conf
	status 200 "/demo/hello.git$PULL" -K "$T/curlrc" -H 'X-Forwarded-For: 198.51.100.7'
	status 200 "/demo/hello.git$PULL" -K "$T/curlrc" -H 'X-Forwarded-For: 192.0.2.1, 198.51.100.7, 203.0.113.5'
	status 401 "/demo/hello.git$PULL" -K "$T/curlrc" -H 'X-Forwarded-For: 198.51.100.7, 192.0.2.1'
	status 401 "/demo/hello.git$PULL" -K "$T/curlrc" -H 'X-Forwarded-For: 198.51.100.7, junk'
	status 403 "/demo/hello.git$PULL" -K "$T/curlrc" -H 'X-Forwarded-Proto: http' -H 'X-Forwarded-For: 198.51.100.7'
	# a proxy may add a line of its own below the client's
	status 401 "/demo/hello.git$PULL" -K "$T/curlrc" -H 'X-Forwarded-For: 198.51.100.7' -H 'X-Forwarded-For: 192.0.2.1'
	status 200 "/demo/hello.git$PULL" -K "$T/curlrc" -H 'X-Forwarded-For: 192.0.2.1' -H 'X-Forwarded-For: 198.51.100.7'
	status 403 "/demo/hello.git$PULL" -K "$T/curlrc" -H 'X-Forwarded-Proto: https' -H 'X-Forwarded-Proto: http' \
		-H 'X-Forwarded-For: 198.51.100.7'
	sed -i '/^\[http\]$/,$d' /etc/gltoken/gltoken.conf
}

test_fail2ban() {
	TOKEN=glpat-0000000000000000zzzz basic
	status 401 "/demo/hello.git$PULL" -K "$T/curlrc"
	new_token --user alice --scope read_repository
	ok gltoken expire "$ID" --at now
	basic
	status 401 "/demo/hello.git$PULL" -K "$T/curlrc"
	status 401 "/demo/hello.git$PULL"
	# the same by SSH
	client password glpat-0000000000000000zzzz
	no git_ ls-remote git@host:demo/hello.git
	logged 'event=login decision=deny reason=unknown_token'
	log_settles
	# as journald and syslogd write them; fail2ban takes the time off
	log_since | sed 's/^<[0-9]*>//' >"$T/auth.log"
	cp -r "$SHIPPED/fail2ban/." /etc/fail2ban/
	ok fail2ban-regex "$T/auth.log" /etc/fail2ban/filter.d/gltoken.conf
	says 'Lines: [0-9]+ lines, 0 ignored, 2 matched'
	touch /var/log/auth.log
	ok fail2ban-client -d
	says "'set', 'gltoken', 'maxretry', 30"
	says "'set', 'gltoken', 'addlogpath', '/var/log/auth.log'"
}
