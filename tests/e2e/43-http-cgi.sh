#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gltoken-http as a plain CGI: started by hand, with whatever a server might say, and by Apache's own CGI module as
# www-data, which may read.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
# shellcheck source=tests/lib/http-tests.sh
. "$E2E_LIB/http-tests.sh"

CGI=/usr/libexec/gltoken/gltoken-http

setup() {
	e2e_host
	usermod -aG gltoken,git www-data
	web_start cgid
}

# What a site with ScriptAlias looks like; gltoken-http(8) shows it.
web_cgid() { # PORT
	local m
	{
		for m in mpm_event authz_core alias cgid ssl socache_shmcb env; do
			echo "LoadModule ${m}_module /usr/lib/apache2/modules/mod_$m.so"
		done
		cat <<-END
			ServerRoot $WEB_DIR
			ServerName localhost
			PidFile $WEB_DIR/pid
			Listen 127.0.0.1:$1
			User www-data
			Group www-data
			ErrorLog $WEB_DIR/log/error
			ScriptSock $WEB_DIR/cgisock
			DocumentRoot $WEB_DIR/empty
			<VirtualHost *:$1>
				SSLEngine on
				SSLCertificateFile $WEB_DIR/cert.pem
				SSLCertificateKeyFile $WEB_DIR/key.pem
				ScriptAlias /git $CGI
				<Location /git>
					Require all granted
					CGIPassAuth On
				</Location>
			</VirtualHost>
		END
	} >"$WEB_DIR/config"
	apache2 -f "$WEB_DIR/config" -k start
}

# One request by hand, as account git; VARIABLE=VALUE... win over the usual ones. Status into $STATUS.
cgi() { # PATH [VARIABLE=VALUE]...
	local path=$1
	shift
	LIMIT=${LIMIT:-40} run setpriv --reuid git --regid git --init-groups env -i GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=GET \
		"PATH_INFO=${path%%\?*}" "QUERY_STRING=${path#*\?}" REMOTE_ADDR=192.0.2.7 HTTPS=on HTTP_GIT_PROTOCOL=version=2 "$@" "$CGI"
	STATUS=$(sed -nE '1s,^Status: ([0-9]+) .*,\1,p' "$T/out" | tr -d '\r')
	# git's own replies say nothing of a status: 200
	[ -n "$STATUS" ] || ! grep -aq '^Content-Type: application/x-git' "$T/out" || STATUS=200
}

answers() { # STATUS PATH [VARIABLE=VALUE]...
	cgi "${@:2}"
	[ "$STATUS" = "$1" ] || fail "should answer $1, not ${STATUS:-nothing}: $(outcome)"
}

authorization() { # TOKEN
	AUTH="HTTP_AUTHORIZATION=Basic $(printf 'token:%s' "$1" | base64 -w0)"
}

test_cgid_reads() {
	new_token --user alice --scope write_repository
	https_git clone -q "$(web_url)/demo/hello.git" "$T/w" || fail "clone"
	logged "event=git decision=allow reason=ok operation=pull repository=demo/hello token=$ID owner=alice account=www-data service=http"
	basic
	status 404 "/secret/vault.git$PULL" -K "$T/curlrc"
	ok gltoken revoke "$ID"
	status 401 "/demo/hello.git$PULL" -K "$T/curlrc"
}

test_cgid_says_what_it_lacks_for_pushing() {
	new_token --user alice --scope write_repository
	https_git clone -q "$(web_url)/demo/hello.git" "$T/w" || fail "clone"
	commit "$T/w"
	no https_git -C "$T/w" push origin HEAD:by-www-data
	says 'for reading only'
	logged 'reason=read_only_account .*needs gltoken-http to run as account git, not www-data'
	no server_git demo/hello rev-parse --verify refs/heads/by-www-data
}

# www-data can say what it likes of the client's address: it is not believed, so no range matches.
test_cgid_address_is_not_believed() {
	new_token --user alice --scope read_repository --allow-from 127.0.0.1
	basic
	status 401 "/demo/hello.git$PULL" -K "$T/curlrc"
	logged 'reason=address_not_allowed'
}

test_plain_http() {
	new_token --user alice --scope read_repository
	authorization "$TOKEN"
	answers 200 "/demo/hello.git$PULL" "$AUTH"
	answers 403 "/demo/hello.git$PULL" "$AUTH" HTTPS=off
	says 'over HTTPS only'
	hides 'x-git'
	logged 'event=git decision=deny reason=not_encrypted .*rhost=192.0.2.7'
	# the first request is no failure here either
	LOG_FROM=$(stat -c %s "$SSHD_DIR/syslog")
	answers 403 "/demo/hello.git$PULL" HTTPS=off
	quiet 'event=git decision=deny'
	# this machine, through no proxy
	answers 200 "/demo/hello.git$PULL" "$AUTH" HTTPS=off REMOTE_ADDR=127.0.0.1
	answers 200 "/demo/hello.git$PULL" "$AUTH" HTTPS=off REMOTE_ADDR=::1
	answers 403 "/demo/hello.git$PULL" "$AUTH" HTTPS=off REMOTE_ADDR=127.0.0.1 HTTP_X_FORWARDED_FOR=192.0.2.9
	answers 403 "/demo/hello.git$PULL" "$AUTH" HTTPS=off REMOTE_ADDR=127.0.0.1 HTTP_FORWARDED='for=192.0.2.9'
	# a stranger's word is nothing
	answers 403 "/demo/hello.git$PULL" "$AUTH" HTTPS=off HTTP_X_FORWARDED_PROTO=https
	printf '[http]\ninsecure = yes\n' >>/etc/gltoken/gltoken.conf
	answers 200 "/demo/hello.git$PULL" "$AUTH" HTTPS=off
	sed -i '/^\[http\]$/,$d' /etc/gltoken/gltoken.conf
}

test_paths() {
	local p
	new_token --user alice --scope write_repository
	authorization "$TOKEN"
	for p in /demo/hello.git/HEAD /demo/hello.git/config /demo/hello.git/objects/info/packs /demo/../secret/vault.git \
		/demo/./hello.git //demo/hello.git /demo//hello.git /demo%2fhello.git /demo/%2e%2e/secret/vault.git \
		/srv/git/demo/hello.git /../srv/git/demo/hello.git /demo/hello.git/ /demo/hello.git/. demo/hello.git '' / \
		$'/demo/hello.git\n' '/demo/hello.git/refs' '/demo\hello.git' "/$(printf '%04000d' 0)"; do
		cgi "$p$PULL" "$AUTH"
		case $STATUS in
		404) ;;
		*) fail "'$p' answers ${STATUS:-nothing}: $(outcome)" ;;
		esac
	done
	answers 404 "/demo/hello.git/info/refs?service=git-upload-archive" "$AUTH"
	answers 405 "/demo/hello.git$PULL" "$AUTH" REQUEST_METHOD=PUT
	says '^Allow: GET'
	answers 405 "/demo/hello.git/git-receive-pack?" "$AUTH"
	says '^Allow: POST'
	# what git itself would take from the environment
	answers 404 "/secret/vault.git$PULL" "$AUTH" GIT_PROJECT_ROOT=/srv/git PATH_TRANSLATED=/srv/git/secret/vault.git GIT_DIR=/srv/git/secret/vault.git
	answers 200 "/demo/hello.git$PULL" "$AUTH" GIT_DIR=/srv/git/secret/vault.git GIT_PROJECT_ROOT=/srv/git/secret \
		PATH_TRANSLATED=/srv/git/secret/vault.git GIT_TRACE="$T/trace" GIT_CONFIG_COUNT=1 LD_PRELOAD=
	[ ! -e "$T/trace" ] || fail "GIT_TRACE of the request reached git"
}

# A header that came twice, as some servers pass it.
test_repeated_headers() {
	new_token --user alice --scope read_repository
	authorization "$TOKEN"
	cat >"$T/twice.c" <<-'END'
		#include <string.h>
		#include <unistd.h>
		/* twice NAME=VALUE PROGRAM: once more in the environment, whatever is there already */
		extern char **environ;
		int main(int argc, char **argv)
		{
			char *more[256];
			int n = 0;
			for (char **v = environ; *v && n < 250; v++)
				more[n++] = *v;
			more[n++] = argv[1];
			more[n] = 0;
			execve(argv[2], argv + 2, more);
			return argc;
		}
	END
	cc -o "$T/twice" "$T/twice.c"
	answers 400 "/demo/hello.git$PULL" "$AUTH" "$T/twice" "$AUTH"
	answers 401 "/demo/hello.git$PULL" "HTTP_AUTHORIZATION=Bearer $TOKEN" "$T/twice" "HTTP_AUTHORIZATION=Bearer $TOKEN"
	printf '[http]\ntrusted_proxies = 192.0.2.7\n' >>/etc/gltoken/gltoken.conf
	ok gltoken edit "$ID" --allow-from 198.51.100.1
	answers 200 "/demo/hello.git$PULL" "$AUTH" HTTP_X_FORWARDED_FOR=203.0.113.1 "$T/twice" HTTP_X_FORWARDED_FOR=198.51.100.1
	answers 401 "/demo/hello.git$PULL" "$AUTH" HTTP_X_FORWARDED_FOR=198.51.100.1 "$T/twice" HTTP_X_FORWARDED_FOR=203.0.113.1
	logged 'reason=address_not_allowed .*rhost=203.0.113.1'
	answers 403 "/demo/hello.git$PULL" "$AUTH" HTTP_X_FORWARDED_FOR=198.51.100.1 HTTP_X_FORWARDED_PROTO=https \
		"$T/twice" HTTP_X_FORWARDED_PROTO=http
	# and three times
	answers 200 "/demo/hello.git$PULL" "$AUTH" HTTP_X_FORWARDED_FOR=203.0.113.1 "$T/twice" HTTP_X_FORWARDED_FOR=203.0.113.1 \
		"$T/twice" HTTP_X_FORWARDED_FOR=198.51.100.1
	answers 401 "/demo/hello.git$PULL" "$AUTH" HTTP_X_FORWARDED_FOR=198.51.100.1 "$T/twice" HTTP_X_FORWARDED_FOR=198.51.100.1 \
		"$T/twice" HTTP_X_FORWARDED_FOR=203.0.113.1
	sed -i '/^\[http\]$/,$d' /etc/gltoken/gltoken.conf
}

has() { # TEXT PID...
	perl "$E2E_LIB/memory-has.pl" "$@"
}

# $PID is a gltoken-http that is about to execute another program, and stays so.
at_exec() {
	local again
	for again in no yes; do
		for PID in $(pgrep -x gltoken-http); do
			# execve's number, on x86-64 and elsewhere
			if grep -Eqs '^(59|221) ' "/proc/$PID/syscall"; then break; fi
			PID=
		done
		[ -n "$PID" ] || return 1
		[ $again = yes ] || sleep 0.2
	done
}

holds_no_secret() { # PID
	local text
	for text in "${TOKEN: -9}" "$(sed 's/.*Basic //; s/=*$//' <<<"$AUTH" | tail -c 13 | head -c 12)"; do
		rc 1 has "$text" "$1"
	done
}

# As it becomes git, and git then; the header and the secret in it, and the ticket is git's.
test_no_secret_stays_in_its_memory() {
	local request
	new_token --user alice --scope write_repository
	authorization "$TOKEN"
	mkfifo "$T/body"
	strace -f -qq -o "$T/trace" -P "$(git --exec-path)/git-http-backend" -e trace=execve -e inject=execve:delay_enter=4000000 \
		setpriv --reuid git --regid git --init-groups env -i GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=POST HTTPS=on \
		PATH_INFO=/demo/hello.git/git-upload-pack QUERY_STRING= CONTENT_LENGTH=100000 REMOTE_ADDR=192.0.2.7 \
		CONTENT_TYPE=application/x-git-upload-pack-request "$AUTH" "$CGI" <"$T/body" >"$T/out" 2>"$T/err" &
	request=$!
	trap 'pkill -KILL -x gltoken-http || true' EXIT # where it is found, the process would wait on
	exec 7>"$T/body"
	printf 0000 >&7
	await at_exec
	has demo/hello.git "$PID" || fail "nothing is found at all"
	holds_no_secret "$PID"
	await grep -q http-backend "/proc/$PID/cmdline"
	has demo/hello.git "$PID" || fail "nothing is found at all"
	holds_no_secret "$PID"
	exec 7>&-
	wait "$request" || true
}

closed_to_others() { # PID
	[ "$(stat -c %U "/proc/$1/mem")" = root ]
}

# A stranger who announces a body and sends none keeps no place for long; and nobody of the same uid looks into the
# process meanwhile, for the credentials stand there.
test_silent_body_and_the_process() {
	local from=$SECONDS pid
	authorization glpat-0000000000000000zzzz
	# shellcheck disable=SC2094 # stdin is a pipe that stays open
	sleep 60 | setpriv --reuid git --regid git --init-groups env -i GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=POST HTTPS=on \
		PATH_INFO=/demo/hello.git/git-upload-pack QUERY_STRING= CONTENT_LENGTH=100000 REMOTE_ADDR=192.0.2.7 "$AUTH" "$CGI" \
		>"$T/out" 2>"$T/err" &
	pid=$! # of the last one, which becomes it
	await grep -qx gltoken-http "/proc/$pid/comm"
	# In its first moments it is as it was started.
	await closed_to_others "$pid"
	for file in environ mem maps; do
		no setpriv --reuid git --regid git --init-groups head -c 1 "/proc/$pid/$file"
	done
	while kill -0 "$pid" 2>/dev/null; do
		[ $((SECONDS - from)) -lt 15 ] || fail "it waits for the body"
		sleep 0.2
	done
	pkill -x -f 'sleep 60'
	grep -q '^Status: 401' "$T/out" || fail "no answer: $(cat "$T/out" "$T/err")"
}

# Not even before main(): the program may not be read, so the kernel lets nobody look in.
test_program_cannot_be_read() {
	[ "$(stat -c '%U:%G %a' "$CGI")" = 'root:root 711' ] || fail "$(ls -l "$CGI")"
	no setpriv --reuid git --regid git --init-groups cat "$CGI"
}

test_quotes_in_the_realm() {
	printf '[http]\nrealm = The "Git" \\ here\n' >>/etc/gltoken/gltoken.conf
	answers 401 "/demo/hello.git$PULL"
	says '^WWW-Authenticate: Basic realm="The \\"Git\\" \\\\ here".?$'
	sed -i '/^\[http\]$/,$d' /etc/gltoken/gltoken.conf
}

# What its bearer may know of and has no repository, and one that cannot be served as it is.
test_repositories_that_are_not_there() {
	new_token --user bob --scope write_repository
	authorization "$TOKEN"
	answers 403 "/demo/hello.git/info/refs?service=git-receive-pack" "$AUTH"
	answers 404 "/demo/nothing.git/info/refs?service=git-receive-pack" "$AUTH"
	answers 404 "/demo/nothing.git$PULL" "$AUTH"
	mkdir /srv/git/demo/hello
	answers 403 "/demo/hello.git$PULL" "$AUTH"
	says 'cannot be served as it is'
	rmdir /srv/git/demo/hello
	answers 200 "/demo/hello.git$PULL" "$AUTH"
}

test_without_the_helper() {
	new_token --user alice --scope read_repository
	authorization "$TOKEN"
	mv /usr/libexec/gltoken/gltoken-auth "$T/away"
	answers 503 "/demo/hello.git$PULL" "$AUTH"
	logged 'event=git decision=deny reason=unavailable'
	mv "$T/away" /usr/libexec/gltoken/gltoken-auth
	answers 200 "/demo/hello.git$PULL" "$AUTH"
}

test_started_by_hand() {
	rc 2 "$CGI"
	says 'CGI program'
	ok "$CGI" --version
}

test_broken_configuration() {
	new_token --user alice --scope read_repository
	authorization "$TOKEN"
	rm /var/lib/gltoken/gltoken.conf.valid
	echo nonsense >>/etc/gltoken/gltoken.conf
	answers 503 "/demo/hello.git$PULL" "$AUTH"
	says '^Retry-After: '
	says '^Cache-Control: no-store'
	logged 'reason=config_error'
	sed -i '/^nonsense$/d' /etc/gltoken/gltoken.conf
	answers 200 "/demo/hello.git$PULL" "$AUTH"
}

test_each_refusal_is_not_to_be_kept() {
	new_token --user bob --scope read_repository
	authorization "$TOKEN"
	answers 401 "/demo/hello.git$PULL"
	says '^Cache-Control: no-store'
	answers 403 "/demo/hello.git$PUSH" "$AUTH"
	says '^Cache-Control: no-store'
	answers 404 "/demo/absent.git$PULL" "$AUTH"
	says '^Cache-Control: no-store'
	answers 400 "/demo/hello.git$PULL" 'HTTP_AUTHORIZATION=Basic ???'
	says '^Cache-Control: no-store'
	answers 405 "/demo/hello.git$PULL" "$AUTH" REQUEST_METHOD=DELETE
	says '^Cache-Control: no-store'
}

e2e_main "$@"
