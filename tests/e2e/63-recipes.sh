#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The recipes of git-credential-gltoken(1), as they are printed there: what of them can be run on one machine.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
# shellcheck source=tests/lib/web.sh
. "$E2E_LIB/web.sh"

PAGE=$E2E_LIB/../../conf/man/git-credential-gltoken.1.scd

setup() {
	e2e_host
	web_start nginx
	install -d -o dev -g dev -m 700 /home/dev/.config /home/dev/.config/gltoken /home/dev/.ssh
	# git.example.org is this machine, for ssh and for git.
	ssh_config sshd-git password | sed 's/^Host \*/Host git.example.org/' >/home/dev/.ssh/config
	chown dev: /home/dev/.ssh/config
	git_ config --global "url.$(web_url).insteadOf" https://git.example.org/git
	git_ config --global http.sslCAInfo "$WEB_DIR/cert.pem"
}

# The N-th listing below a heading, as man shows it: \\ is one backslash.
listing() { # HEADING N
	awk -v heading="## $1" -v want="$2" '
		$0 == heading { on = 1 }
		on && /^```/ { n++; next }
		on && n == 2 * want - 1
		on && n == 2 * want { exit }' "$PAGE" | sed 's/\\\\/\\/g'
}

# The commands of a GitLab job's script.
script() { # N
	listing 'GitLab CI' "$1" | awk '/^    - >$/ { folded = 1; next } /^    - / { folded = 0; sub(/^    - /, ""); print; next }
		folded { sub(/^ +/, ""); printf "%s ", $0 }'
}

# As a job would: account dev, its own environment, nothing to ask.
job() { # SCRIPT [VARIABLE=VALUE]...
	local file=$1
	shift
	as_dev env -u GIT_SSH_COMMAND -u SSH_ASKPASS -u SSH_ASKPASS_REQUIRE -u ASKPASS_FILE "$@" sh -euc "cd \"\$1\" && . \"\$2\"" - "$T" "$file"
}

test_cron_rotates_over_ssh() {
	local file=/home/dev/.config/gltoken/token old
	listing 'cron, systemd timers, mirrors' 1 >"$T/rotate"
	grep -q 'tokens rotate self' "$T/rotate" || fail "no such recipe"
	new_token --user alice --scope read_repository,self_rotate
	old=$ID
	install -m 600 -o dev -g dev /dev/null $file
	printf '%s\n' "$TOKEN" >$file
	ok job "$T/rotate"
	[ "$(stat -c '%a %U' $file)" = '600 dev' ] || fail "$(stat $file)"
	! grep -qxF "$TOKEN" $file || fail "the token is the old one"
	echo 'git ls-remote https://git.example.org/git/demo/hello.git' >"$T/ls"
	ok job "$T/ls" GLTOKEN_TOKEN_FILE=$file GIT_ASKPASS=gltoken-askpass
	says refs/heads/main
	# both work for now; the job may run again
	ok job "$T/rotate"
	ok gltoken show "$old"
	says '^replaced by'
	# what is refused leaves the file as it is
	cp $file "$T/before"
	ok gltoken revoke --user alice
	no job "$T/rotate"
	cmp $file "$T/before" || fail "the token was lost"
}

test_gitlab_job_clones() {
	script 1 >"$T/clone"
	grep -q 'git clone' "$T/clone" || fail "no such recipe"
	new_token --project demo/hello --role reporter --scope read_repository
	printf '%s\n' "$TOKEN" >"$T/variable"
	chmod 666 "$T/variable"
	ok job "$T/clone" "GIT_TOKEN=$T/variable"
	[ -f "$T/hello/README" ] || fail "the clone is empty"
	rm /home/dev/.gltoken
}

# What GitLab's API would be sent: the value of the variable, in one line without an end.
api() {
	perl -MIO::Socket::INET -e '
		my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") or die;
		open my $p, ">", "$ARGV[0].new"; print $p $s->sockport; close $p; rename "$ARGV[0].new", $ARGV[0];
		alarm 60;
		my $c = $s->accept; my ($text, $length) = ("", undef);
		until (defined $length && length $text >= $length) {
			sysread $c, $text, 65536, length $text or last;
			$length = $+[0] + $1 if !defined $length && $text =~ /^(?:.*\r\n)*?Content-Length: (\d+)\r\n(?:.*\r\n)*?\r\n/;
		}
		open my $f, ">", $ARGV[1]; print $f $text; close $f;
		print $c "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";' "$T/port" "$T/request" &
	API=$!
	for _ in {1..200}; do
		if [ -s "$T/port" ]; then return 0; fi
		sleep 0.05
	done
	fail "no API"
}

test_gitlab_job_rotates() {
	script 2 >"$T/rotate"
	grep -q 'curl --fail' "$T/rotate" || fail "no such recipe: $(cat "$T/rotate")"
	new_token --user alice --scope read_repository,self_rotate
	printf '%s\n' "$TOKEN" >"$T/variable"
	echo 'PRIVATE-TOKEN: glpat-of-gitlab' >"$T/header"
	chmod 644 "$T/variable" "$T/header"
	api
	ok job "$T/rotate" "GIT_TOKEN=$T/variable" "GITLAB_HEADER_FILE=$T/header" CI_PROJECT_ID=7 \
		"CI_API_V4_URL=http://127.0.0.1:$(cat "$T/port")/api/v4" PATH="$PATH"
	wait "$API"
	grep -q '^PUT /api/v4/projects/7/variables/GIT_TOKEN HTTP' "$T/request" || fail "$(head -c 400 "$T/request")"
	grep -q '^PRIVATE-TOKEN: glpat-of-gitlab' "$T/request" || fail "no header"
	# between the part's empty line and its end: the token, and no line feed more
	perl -0ne 'exit !/name="value"\r\n\r\n(glpat-[0-9A-Za-z]{20})\r\n--/' "$T/request" || fail "the value: $(tail -c 200 "$T/request")"
	perl -0ne 'print "$1\n" if /name="value"\r\n\r\n(glpat-[0-9A-Za-z]{20})\r\n/' "$T/request" >"$T/new"
	! grep -qxF "$TOKEN" "$T/new" || fail "the token is the old one"
	INPUT=$(cat "$T/new") ok gltoken identify
	says 'alice'
	rm /home/dev/.gltoken /home/dev/new
}

# No Jenkins is here: its step is sh -xe on an agent, with the file as its plugin for credentials leaves it.
test_jenkins_step() {
	local dir=$T/workspace@tmp/secretFiles/4b1d
	listing Jenkins 1 | sed -n "s/^\tsh '\(.*\)'\$/\1/p" >"$T/step"
	grep -q '^GIT_ASKPASS=gltoken-askpass git clone' "$T/step" || fail "no such recipe"
	new_token --project demo/hello --role reporter --scope read_repository
	mkdir -p "$dir" "$T/workspace"
	printf '%s\n' "$TOKEN" >"$dir/git-token"
	chmod 400 "$dir/git-token"
	chmod 700 "$T/workspace@tmp/secretFiles"
	chown -R dev: "$T/workspace@tmp" "$T/workspace"
	ok as_dev env -u GIT_SSH_COMMAND -u SSH_ASKPASS -u SSH_ASKPASS_REQUIRE -u ASKPASS_FILE -C "$T/workspace" \
		GLTOKEN_TOKEN_FILE="$dir/git-token" sh -xe "$T/step"
	[ -f "$T/workspace/hello/README" ] || fail "the clone is empty"
	hides "$TOKEN"
}

# As a container has it: a read-only file of the job's user, and Kubernetes's links.
test_container_secret() {
	local d=$T/secrets
	listing Containers 1 | tr -d '\\\n' | grep -q 'GIT_ASKPASS=gltoken-askpass' || fail "no such recipe"
	new_token --project demo/hello --role reporter --scope read_repository
	install -d -m 755 "$d/..2026" "$d"
	printf '%s' "$TOKEN" >"$d/gltoken"
	printf '%s\n' "$TOKEN" >"$d/..2026/token"
	chown dev: "$d/gltoken"
	chmod 400 "$d/gltoken" "$d/..2026/token"
	ln -s ..2026 "$d/..data"
	ln -s ..data/token "$d/token"
	mount --bind "$d" "$d"
	mount -o remount,bind,ro "$d"
	echo 'git ls-remote https://git.example.org/git/demo/hello.git' >"$T/ls"
	ok job "$T/ls" "GLTOKEN_TOKEN_FILE=$d/gltoken" GIT_ASKPASS=gltoken-askpass
	says refs/heads/main
	no job "$T/ls" "GLTOKEN_TOKEN_FILE=$d/token" GIT_ASKPASS=gltoken-askpass
	says 'is a symbolic link'
	# root's and for root alone: a container that runs as another copies it
	no job "$T/ls" "GLTOKEN_TOKEN_FILE=$d/..data/token" GIT_ASKPASS=gltoken-askpass
	ok env GLTOKEN_TOKEN_FILE="$d/..data/token" HOME=/root gltoken-askpass Password:
	says '^glpat-'
	umount "$d"
}

e2e_main "$@"
