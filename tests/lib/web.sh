# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# A real web server on a free loopback port with the shipped site, and gltoken-http behind fcgiwrap as account git.
# For use inside private-root.sh, after e2e.sh. State is in $WEB_DIR: port, cert.pem, key.pem, config, log.

: "${WEB_DIR:=$E2E_DIR/web}"

# fcgiwrap as gltoken-http.service starts it; a test sees its children.
web_backend() {
	local socket=/run/gltoken-http.sock
	spawn-fcgi -s "$socket" -M 0600 -U www-data -G www-data -u git -g git -P "$WEB_DIR/fcgi.pid" -- \
		/usr/sbin/fcgiwrap -f -c 16 -p /usr/libexec/gltoken/gltoken-http >"$WEB_DIR/fcgi.log" 2>&1 || {
		cat "$WEB_DIR/fcgi.log" >&2
		return 1
	}
}

web_config() { # SERVER PORT: the shipped site, on that port, with that certificate
	sed -e "s/\*:443/127.0.0.1:$2/; s/listen 443 ssl/listen 127.0.0.1:$2 ssl/; s/\":443\"/\"127.0.0.1:$2\"/" \
		-e "s,/etc/ssl/certs/ssl-cert-snakeoil.pem,$WEB_DIR/cert.pem,; s,/etc/ssl/private/ssl-cert-snakeoil.key,$WEB_DIR/key.pem," \
		"$SHIPPED/$1/gltoken.conf"
}

web_apache() { # PORT
	local m
	{
		for m in mpm_event authz_core authz_host proxy proxy_fcgi ssl socache_shmcb env; do
			echo "LoadModule ${m}_module /usr/lib/apache2/modules/mod_$m.so"
		done
		printf '%s\n' "ServerRoot $WEB_DIR" 'ServerName localhost' "PidFile $WEB_DIR/pid" "Listen 127.0.0.1:$1" \
			'User www-data' 'Group www-data' "ErrorLog $WEB_DIR/log/error" \
			"CustomLog $WEB_DIR/log/access \"%h %u \\\"%r\\\" %>s\"" "DocumentRoot $WEB_DIR/empty"
		web_config apache "$1"
	} >"$WEB_DIR/config"
	apache2 -f "$WEB_DIR/config" -k start
}

web_nginx() { # PORT
	{
		printf '%s\n' 'user www-data;' "pid $WEB_DIR/pid;" "error_log $WEB_DIR/log/error;" \
			'events { worker_connections 512; }' \
			"http { access_log $WEB_DIR/log/access; client_body_temp_path $WEB_DIR/tmp; fastcgi_temp_path $WEB_DIR/tmp2;"
		web_config nginx "$1"
		echo '}'
	} >"$WEB_DIR/config"
	nginx -c "$WEB_DIR/config" -e "$WEB_DIR/log/error"
}

web_lighttpd() { # PORT
	{
		printf '%s\n' 'server.modules = ( "mod_accesslog" )' "server.document-root = \"$WEB_DIR/empty\"" \
			"server.port = $(($1 + 1))" 'server.bind = "127.0.0.1"' 'server.username = "www-data"' \
			'server.groupname = "www-data"' "server.pid-file = \"$WEB_DIR/pid\"" \
			"server.errorlog = \"$WEB_DIR/log/error\"" "accesslog.filename = \"$WEB_DIR/log/access\""
		web_config lighttpd "$1"
	} >"$WEB_DIR/config"
	lighttpd -f "$WEB_DIR/config"
}

web_certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
		-addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' -keyout "$WEB_DIR/key.pem" -out "$WEB_DIR/cert.pem" 2>/dev/null
}

web_start() { # SERVER
	mkdir -p "$WEB_DIR/log" "$WEB_DIR/empty" "$WEB_DIR/tmp" "$WEB_DIR/tmp2"
	chown -R www-data: "$WEB_DIR/log" "$WEB_DIR/tmp" "$WEB_DIR/tmp2"
	chmod 755 "$WEB_DIR"
	web_certificate
	web_backend
	local port
	for _ in {1..20}; do
		port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
		"web_$1" "$port" || continue
		echo "$port" >"$WEB_DIR/port"
		for _ in {1..400}; do
			if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return 0; fi
			sleep 0.05
		done
	done
	cat "$WEB_DIR/log/error" >&2
	echo "$1 did not start" >&2
	return 1
}

web_url() {
	echo "https://127.0.0.1:$(cat "$WEB_DIR/port")/git"
}
