#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What a check costs over HTTPS: the same git behind the same Apache, TLS and fcgiwrap, in one run, with
#
#   none         no check at all
#   bcrypt       mod_authn_file, htpasswd -B
#   pam_unix     mod_authnz_pam in front of pam_unix, a password of this host
#   cold         gltoken-http, each token seen for the first time: Argon2
#   warm         gltoken-http, a token that was used a moment ago
#   listen       the same, where gltoken-auth --listen answers, not a helper of its own
#
# Each round measures every one of them once, in another order each time, so that what else the machine does hits
# all alike. A table goes to stdout, the same as JSON to FILE.
set -euo pipefail

usage() {
	cat <<'END'
usage: sudo tests/bench/http.sh [--rounds N] [--json FILE]

  --rounds N   measure each way N times (30)
  --json FILE  write the figures there as well
END
}

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
lib=$top/tests/lib
rounds=30 json=''
while [ $# -gt 0 ]; do
	case $1 in
	--rounds) rounds=${2:?}; shift 2 ;;
	--json) json=$(realpath -m -- "${2:?}"); shift 2 ;;
	--help | -h) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
done
[[ $rounds =~ ^[1-9][0-9]{0,3}$ ]] || { usage >&2; exit 2; }

# ---- outside: build, and install in a root that vanishes ----

if [ -z "${BENCH_BUILD-}" ]; then
	# shellcheck source=tests/lib/packages.sh
	. "$lib/packages.sh"
	# shellcheck source=tests/lib/build.sh
	. "$lib/build.sh"
	build_bench "$top"
	cc -O2 -D_GNU_SOURCE -o "$work/devlog" "$lib/devlog.c"
	"$lib/private-root.sh" --read "$top" --write "$work" -- \
		env BENCH_BUILD="$work" "$here/http.sh" --rounds "$rounds" --json "$work/result.json"
	if [ -n "$json" ]; then cp "$work/result.json" "$json"; fi
	exit 0
fi

# ---- inside ----

# shellcheck source=tests/lib/packages.sh
. "$lib/packages.sh"
# shellcheck source=tests/lib/e2e.sh
. "$lib/e2e.sh"
# shellcheck source=tests/lib/web.sh
. "$lib/web.sh"
T=$E2E_DIR

serve() {
	local m port=18443
	mkdir -p "$WEB_DIR/log" "$WEB_DIR/empty"
	chmod 755 "$WEB_DIR"
	web_certificate
	web_backend
	htpasswd -bBc "$WEB_DIR/passwords" alice hunter2-hunter2 2>/dev/null
	chgrp www-data "$WEB_DIR/passwords"
	usermod -aG shadow www-data
	echo alice:hunter2-hunter2 | chpasswd
	printf '%s required pam_unix.so\n' auth account >/etc/pam.d/bench
	{
		for m in mpm_event authz_core authz_host authz_user authn_core authn_file auth_basic authnz_pam proxy \
			proxy_fcgi ssl socache_shmcb env; do
			echo "LoadModule ${m}_module /usr/lib/apache2/modules/mod_$m.so"
		done
		printf '%s\n' "ServerRoot $WEB_DIR" 'ServerName localhost' "PidFile $WEB_DIR/pid" "Listen 127.0.0.1:$port" \
			'User www-data' 'Group www-data' "ErrorLog $WEB_DIR/log/error" "DocumentRoot $WEB_DIR/empty"
		web_config apache "$port" | sed '/<\/VirtualHost>/d'
		others
		echo '</VirtualHost>'
	} >"$WEB_DIR/config"
	apache2 -f "$WEB_DIR/config" -k start
	echo "$port" >"$WEB_DIR/port"
	for _ in {1..100}; do
		if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return 0; fi
		sleep 0.05
	done
	cat "$WEB_DIR/log/error" >&2
	return 1
}

# git's own CGI behind the same kind of fcgiwrap, and Apache's own checks in front of it.
others() {
	local at
	env HOME=/ spawn-fcgi -s "$WEB_DIR/none.sock" -M 0600 -U www-data -G www-data -u git -g git -P "$WEB_DIR/none.pid" -- \
		/usr/sbin/fcgiwrap -c 16 -p "$(git --exec-path)/git-http-backend" >/dev/null
	for at in none bcrypt pam_unix; do
		cat <<-END
			<LocationMatch "^/$at/">
				SetHandler "proxy:unix:$WEB_DIR/none.sock|fcgi://localhost"
				ProxyFCGISetEnvIf "true" SCRIPT_FILENAME "$(git --exec-path)/git-http-backend"
				ProxyFCGISetEnvIf "reqenv('SCRIPT_NAME') =~ m#^/$at(/.*)\$#" PATH_INFO "\$1"
				ProxyFCGISetEnvIf "true" GIT_PROJECT_ROOT /srv/git
				ProxyFCGISetEnvIf "true" GIT_HTTP_EXPORT_ALL 1
				ProxyFCGISetEnvIf "true" PATH /usr/local/bin:/usr/bin:/bin
				ProxyFCGISetEnvIf "true" HOME /
				$(check_of "$at")
			</LocationMatch>
		END
	done
}

check_of() { # WAY
	case $1 in
	none) echo 'Require all granted' ;;
	bcrypt) printf '%s\n' 'AuthType Basic' 'AuthName bench' 'AuthBasicProvider file' \
		"AuthUserFile $WEB_DIR/passwords" 'Require valid-user' ;;
	pam_unix) printf '%s\n' 'AuthType Basic' 'AuthName bench' 'AuthBasicProvider PAM' 'AuthPAMService bench' \
		'Require valid-user' ;;
	esac
}

# The client: root's git, each way under a name of its own; secrets are in the file, not in argv.
client_config() {
	local at
	at=https://127.0.0.1:$(cat "$WEB_DIR/port")
	export GIT_CONFIG_GLOBAL=$T/gitconfig GIT_SSL_CAINFO=$WEB_DIR/cert.pem GIT_TERMINAL_PROMPT=0
	{
		printf '[url "%s/none/"]\n\tinsteadOf = none:\n' "$at"
		printf '[url "%s/bcrypt/"]\n\tinsteadOf = bcrypt:\n' "${at/\/\///\/alice:hunter2-hunter2@}"
		printf '[url "%s/pam_unix/"]\n\tinsteadOf = pam_unix:\n' "${at/\/\///\/alice:hunter2-hunter2@}"
		printf '[url "%s/git/"]\n\tinsteadOf = cold:\n\tinsteadOf = warm:\n\tinsteadOf = listen:\n' "${at/\/\///\/token:$TOKEN@}"
	} >"$GIT_CONFIG_GLOBAL"
}

operate() { # OPERATION WAY DIR
	case $1 in
	ls-remote*) git ls-remote -q "$2:demo/hello.git" >/dev/null ;;
	clone*) git clone -q "$2:demo/hello.git" "$3" ;;
	esac
}

listener=''
stop_listener() {
	[ -n "$listener" ] || return 0
	kill "$listener"
	wait "$listener" 2>/dev/null || :
	rm -f /run/gltoken-auth.sock
	listener=''
}
start_listener() {
	/usr/libexec/gltoken/gltoken-auth --listen &
	listener=$!
	await test -S /run/gltoken-auth.sock
}
trap stop_listener EXIT

# Microseconds into $ELAPSED.
measure() { # OPERATION WAY
	local i from failed=0
	rm -rf "$T/clone".*
	stop_listener
	if [ "$2" = listen ]; then start_listener; fi
	if [ "$2" = cold ]; then rm -f /run/gltoken/cache; fi
	from=${EPOCHREALTIME/./}
	case $1 in
	*-16)
		local pids=()
		for i in {1..16}; do operate "$1" "$2" "$T/clone.$i" & pids+=($!); done
		for i in "${pids[@]}"; do wait "$i" || failed=1; done
		;;
	*) operate "$1" "$2" "$T/clone.1" || failed=1 ;;
	esac
	ELAPSED=$((${EPOCHREALTIME/./} - from))
	[ $failed = 0 ] || { echo "$1 by way of $2 failed" >&2; tail -n 5 "$WEB_DIR/log/error" >&2; exit 1; }
}

ways=(none bcrypt pam_unix cold warm listen)
operations=(ls-remote clone ls-remote-16 clone-16)

measure_all() {
	local round op way n
	for op in "${operations[@]}"; do
		n=$rounds
		if [[ $op = *-16 ]]; then n=$(((rounds + 2) / 3)); fi
		for ((round = -1; round < n; round++)); do # the first warms up
			while read -r way; do
				if [ "$way" = warm ] || [ "$way" = listen ]; then measure ls-remote warm; fi
				measure "$op" "$way"
				if [ $round -ge 0 ]; then echo "$op $way $round $ELAPSED" >>"$T/figures"; fi
			done < <(shuf -e "${ways[@]}")
		done
		echo "$op: measured" >&2
	done
}

# Of each: tenth, median and ninth decile, and the median of what it was to "none" in the same round.
report() {
	jq -n --raw-input --arg git "$(git version)" --arg apache "$(apache2 -v | head -n 1)" --argjson cpus "$(nproc)" \
		--arg load "$(cut -d' ' -f1-3 /proc/loadavg)" '
		def pick($p): sort | .[((length - 1) * $p | round)];
		def digits($n): . * $n | round / $n;
		[inputs | split(" ") | {operation: .[0], way: .[1], round: .[2], ms: (.[3] | tonumber / 1000)}]
		| (map(select(.way == "none") | {key: (.operation + " " + .round), value: .ms}) | from_entries) as $none
		| map(. + {ratio: (.ms / $none[.operation + " " + .round])})
		| group_by(.operation)
		| map({operation: .[0].operation, ways: (group_by(.way) | map({way: .[0].way, n: length,
			p10_ms: (map(.ms) | pick(0.1) | digits(10)), median_ms: (map(.ms) | pick(0.5) | digits(10)),
			p90_ms: (map(.ms) | pick(0.9) | digits(10)), ratio: (map(.ratio) | pick(0.5) | digits(1000))}))})
		| {git: $git, apache: $apache, cpus: $cpus, load_average: $load, target: {way: "warm", ratio: 1.15},
			operations: .}
	' <"$T/figures" >"$json"
	jq -r '(["operation", "way", "n", "p10 ms", "median ms", "p90 ms", "to none"]),
		(.operations[] | .operation as $o | .ways | sort_by(.ratio)[]
			| [$o, .way, .n, .p10_ms, .median_ms, .p90_ms, .ratio]) | @tsv' "$json" |
		column -t -s "$(printf '\t')"
}

packages_web
make -C "$BENCH_BUILD/build" install >/dev/null 2>&1
mkdir -p "$E2E_DIR"
useradd -m -s /bin/bash dev
printf '[user]\n\tname = Dev\n\temail = dev@example.org\n[init]\n\tdefaultBranch = main\n' >/home/dev/.gitconfig
E2E_DEVLOG=$BENCH_BUILD/devlog
e2e_host >/dev/null
serve
new_token --user alice --scope read_repository
client_config
measure_all
report
