#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# pam_gltoken behind web servers' own PAM modules, for protected locations that are not Git.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
# shellcheck source=tests/lib/web.sh
. "$E2E_LIB/web.sh"

setup() {
	e2e_host
	usermod -aG gltoken www-data
	cat >/etc/pam.d/artifacts <<-'END'
		auth     required  pam_gltoken.so services=artifacts service=registry scope=read_registry nosession
		account  required  pam_gltoken.so services=artifacts service=registry scope=read_registry nosession
	END
	mkdir -p "$WEB_DIR/log" "$WEB_DIR/empty/artifacts"
	echo hello >"$WEB_DIR/empty/artifacts/file"
	chmod 755 "$WEB_DIR"
	cat >"$WEB_DIR/apache" <<-END
		ServerRoot $WEB_DIR
		ServerName localhost
		PidFile $WEB_DIR/pid
		Listen 127.0.0.1:18081
		User www-data
		Group www-data
		ErrorLog $WEB_DIR/log/error
		DocumentRoot $WEB_DIR/empty
		$(for m in mpm_event authz_core authn_core authz_user auth_basic authnz_pam; do
			echo "LoadModule ${m}_module /usr/lib/apache2/modules/mod_$m.so"
		done)
		<Location /artifacts>
			AuthType Basic
			AuthName artifacts
			AuthBasicProvider PAM
			AuthPAMService artifacts
			Require valid-user
		</Location>
	END
	apache2 -f "$WEB_DIR/apache" -k start
	cat >"$WEB_DIR/nginx" <<-END
		load_module /usr/lib/nginx/modules/ngx_http_auth_pam_module.so;
		user www-data;
		pid $WEB_DIR/nginx.pid;
		error_log $WEB_DIR/log/nginx;
		events { worker_connections 128; }
		http {
			access_log $WEB_DIR/log/access;
			server {
				listen 127.0.0.1:18082;
				root $WEB_DIR/empty;
				location /artifacts { auth_pam "artifacts"; auth_pam_service_name "artifacts"; auth_pam_set_pam_env on; }
			}
		}
	END
	nginx -c "$WEB_DIR/nginx" -e "$WEB_DIR/log/nginx"
}

get() { # PORT USER SECRET [CURL ARGUMENT]...: prints the status
	printf 'user = "%s:%s"\n' "$2" "$3" >"$T/curlrc.$BASHPID"
	chmod 600 "$T/curlrc.$BASHPID"
	timeout 60 curl -s -o /dev/null -w '%{http_code}' -K "$T/curlrc.$BASHPID" "${@:4}" "http://127.0.0.1:$1/artifacts/file"
}

is() { # STATUS PORT USER SECRET
	local got
	got=$(get "${@:2}")
	[ "$got" = "$1" ] || fail "port $2, user $3: should be $1, is $got: $(tail -n 3 "$WEB_DIR/log/error" "$WEB_DIR/log/nginx")"
}

both() { # PORT
	new_token --user alice --scope read_registry
	is 200 "$1" alice "$TOKEN"
	is 401 "$1" bob "$TOKEN" # the server takes the name for the identity
	is 401 "$1" alice "${TOKEN%???}000"
	is 401 "$1" alice password
	local id=$ID secret=$TOKEN
	logged "event=login decision=allow reason=ok token=$id owner=alice account=alice"
	new_token --user alice --scope write_repository
	is 401 "$1" alice "$TOKEN"
	logged 'reason=scope_missing'
	new_token --user alice --scope read_registry --service sshd
	is 401 "$1" alice "$TOKEN"
	ok gltoken revoke "$id"
	is 401 "$1" alice "$secret"
}

test_apache() {
	both 18081
}

test_nginx() {
	both 18082
}

# nginx's module puts what the client sends into PAM's environment.
test_nginx_environment_decides_nothing() {
	new_token --user alice --scope read_registry --allow-from 192.0.2.0/24
	is 401 18082 alice "$TOKEN"
	[ "$(get 18082 alice "$TOKEN" -H 'X-Forwarded-For: 192.0.2.1' -H 'Host: 192.0.2.1')" = 401 ] || fail "a header decided"
}

test_64_at_once() {
	new_token --user alice --scope read_registry
	local i
	is 200 18081 alice "$TOKEN"
	for i in {1..64}; do get 18081 alice "$TOKEN" >"$T/at.$i" & done
	wait
	[ "$(cat "$T"/at.* | grep -o 200 | wc -l)" = 64 ] || fail "not all were let in: $(cat "$T"/at.*)"
	for i in {1..64}; do get 18081 bob "$TOKEN" >"$T/at.$i" & done
	wait
	[ "$(cat "$T"/at.* | grep -o 401 | wc -l)" = 64 ] || fail "not all were refused: $(cat "$T"/at.*)"
}

e2e_main "$@"
