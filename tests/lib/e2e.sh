# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What every end-to-end test has in common. A test file sources this, defines setup() (once a file, in a shell of
# its own: what it leaves for the tests is in files) and
# functions named test_*, and ends with `e2e_main "$@"`. tests/run gives each file a private root with gltoken
# installed; there it may do as it likes. Each test runs in a shell of its own, with a time limit; the first
# check that fails ends it.
#
#   ok CMD..      it must exit 0              no CMD..      it must fail (but not hang, nor be missing)
#   rc N CMD..    it must exit N              says ERE      the last command's output matches
#   hides ERE     it does not                 logged ERE    a log line written since the test began matches
#   fail TEXT     give up                     quiet ERE     no such log line was written
#
# INPUT=text before ok, no or rc becomes the command's standard input.

: "${E2E_DIR:=/tmp/e2e}"
export E2E_DIR SSHD_DIR=$E2E_DIR/sshd
E2E_LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lib/sshd.sh
. "$E2E_LIB/sshd.sh"

SHIPPED=/usr/share/doc/gltoken/examples
export LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TZ=UTC
unset SSH_AUTH_SOCK DISPLAY GLTOKEN_SESSION

# ---- checks ----

fail() {
	echo "FAILED: $*"
	local i
	for ((i = 1; i < ${#FUNCNAME[@]}; i++)); do
		case ${FUNCNAME[i]} in
		test_* | setup) echo "  in ${FUNCNAME[i]}, line ${BASH_LINENO[i - 1]}" ;;
		esac
	done
	exit 1
}

run() {
	RC=0
	# What is a function here starts its program through as_dev, which has the time limit.
	local limit=(timeout -k 5 "${LIMIT:-60}")
	if declare -F "$1" >/dev/null; then limit=(); fi
	# Not a pipe: a command that does not read it would have printf's SIGPIPE for its status.
	${limit[@]+"${limit[@]}"} "$@" < <(printf '%s' "${INPUT-}") >"$T/out" 2>"$T/err" || RC=$?
	LAST=$*
}

outcome() {
	printf '%s\n  status %s\n  stdout: %s\n  stderr: %s' "$LAST" "$RC" "$(head -c 4000 "$T/out" | tr -d '\0')" \
		"$(head -c 4000 "$T/err" | tr -d '\0')"
}

ok() {
	run "$@"
	[ "$RC" = 0 ] || fail "should succeed: $(outcome)"
}

no() {
	run "$@"
	case $RC in
	0) fail "should fail: $(outcome)" ;;
	124 | 126 | 127 | 137) fail "should be refused, but hung or is missing: $(outcome)" ;;
	esac
}

rc() {
	local want=$1
	shift
	run "$@"
	[ "$RC" = "$want" ] || fail "should exit $want: $(outcome)"
}

says() {
	grep -Eq -- "$1" "$T/out" "$T/err" || fail "should say '$1': $(outcome)"
}

hides() {
	if grep -Eq -- "$1" "$T/out" "$T/err"; then fail "should not say '$1': $(outcome)"; fi
}

log_since() {
	tail -c "+$((LOG_FROM + 1))" "$SSHD_DIR/syslog"
}

# Until CMD succeeds, half a minute at most: the machine may be busy.
await() { # CMD...
	local end=$((SECONDS + 30))
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || fail "in vain: $*"
		sleep 0.05
	done
}

await_second() { # SECOND since the epoch
	while [ "$(date +%s)" -lt "$1" ]; do sleep 0.2; done
}

# All that was sent to the log until now is in its file. Some loggers work behind the reply: they get a moment.
log_settles() {
	local mark=settled-$BASHPID-$RANDOM$RANDOM
	sleep 0.2
	logger -u /dev/log "$mark"
	await grep -q "$mark" "$SSHD_DIR/syslog"
}

logged() {
	for _ in {1..200}; do
		if log_since | grep -Eq -- "$1"; then return 0; fi
		sleep 0.05
	done
	fail "the log should have '$1', but has:
$(log_since | tail -n 40)"
}

quiet() {
	log_settles
	if log_since | grep -Eq -- "$1"; then
		fail "the log should not have '$1': $(log_since | grep -E -- "$1" | head -n 5)"
	fi
}

# ---- tokens ----

# Issue a token: $TOKEN is its text, $ID its number. Arguments as of `gltoken issue`; a name is made up.
new_token() {
	local json
	json=$(timeout 30 gltoken issue --json --name "t-$$-$RANDOM$RANDOM" "$@") || fail "gltoken issue $*"
	TOKEN=$(jq -r .token <<<"$json")
	# shellcheck disable=SC2034 # for the tests
	ID=$(jq -r .id <<<"$json")
	case $TOKEN in
	*-????????????????????) ;;
	*) fail "gltoken issue $* gave no token: $json" ;;
	esac
}

# ---- what others hold ----

# Hold hash slots of four that are waited for a second: $HOLDERS are the processes.
hold_slots() { # N...
	local slot
	printf '[hash]\nslots = 4\nwait = 1s\n' >>/etc/gltoken/gltoken.conf
	HOLDERS=()
	for slot in "${@/#//run/gltoken/slot.}"; do
		: >>"$slot"
		chown gltoken: "$slot"
		chmod 600 "$slot"
		flock -o "$slot" sleep 60 & # -o: the lock is flock's alone
		HOLDERS+=($!)
		until ! flock -n "$slot" true; do sleep 0.05; done
	done
}

give_slot() { # HOLDER
	kill -KILL "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
}

give_slots() {
	local pid
	for pid in "${HOLDERS[@]}"; do give_slot "$pid"; done
	sed -i '/^\[hash\]$/,$d' /etc/gltoken/gltoken.conf
}

listens() { # PORT
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

free_port() { # FROM: below those that the kernel gives to clients
	local port
	for ((port = $1 + RANDOM % 1000; ; port++)); do listens "$port" || break; done
	echo "$port"
}

# ---- another time ----

# The clock of what is started through fake: +61m, -1h, or '2038-01-19 03:14:07' (UTC). It is in a file, as the helper
# forgets its environment, and may be set while programs run. The clock that counts since boot is left alone.
clock() { # WHEN
	case $1 in
	[+-]*) echo "$1" ;;
	*) printf '%+d\n' $(($(date -d "$1 UTC" +%s) - $(date +%s))) ;;
	esac >/etc/faketimerc
}

fake() { # CMD...
	timeout -k 5 "${LIMIT:-60}" env "LD_PRELOAD=$(faketime -f +0 printenv LD_PRELOAD)" DONT_FAKE_MONOTONIC=1 \
		FAKETIME_NO_CACHE=1 "$@"
}

# Build a C program of the tests with the core of the build that is installed.
e2e_cc_core() { # OUT SOURCE...
	local out=$1 top
	shift
	top=$(cd "$E2E_LIB/../.." && pwd)
	# shellcheck disable=SC2086 # words
	cc -O1 -g -Wall -Wextra -D_GNU_SOURCE ${E2E_CFLAGS-} -I"$E2E_BUILD/pam_gltoken/core" -I"$top/pam_gltoken" -I"$top/pam_gltoken/core" \
		'-DGLT_CONF_FILE="/etc/gltoken/gltoken.conf"' '-DGLT_LOCALSTATEDIR="/var"' -o "$out" "$@" \
		"$E2E_BUILD/libglt_core.a" -llmdb -largon2 -lsodium -lprotobuf-c -linih -lcdb
}

# ---- the client: account dev on the same machine, talking to sshd over loopback ----

as_dev() {
	timeout -k 5 "${LIMIT:-60}" setpriv --reuid dev --regid dev --init-groups env -i HOME=/home/dev USER=dev LOGNAME=dev TERM=dumb \
		LC_ALL=C.UTF-8 PATH="$PATH" GIT_TERMINAL_PROMPT=0 \
		GIT_SSH_COMMAND="ssh -F $T/ssh_config" \
		SSH_ASKPASS="${ASKPASS:-$E2E_LIB/askpass}" SSH_ASKPASS_REQUIRE=force ASKPASS_FILE="$T/secret" "$@"
}

# Log in from now on by METHOD with SECRET (a token or password; for publickey a private key file); further
# lines go into ssh_config. $SSHD names the sshd, if it is not sshd-git.
client() { # METHOD SECRET [LINE]...
	local method=$1 secret=$2
	shift 2
	if [ "$method" = publickey ]; then set -- "IdentityFile $secret" "$@"; fi
	ssh_config "${SSHD:-sshd-git}" "$method" "$@" >"$T/ssh_config"
	install -m 600 -o dev -g dev /dev/null "$T/secret"
	install -m 600 -o dev -g dev /dev/null "$T/secret.asked"
	[ "$method" = publickey ] || printf '%s\n' "$secret" >"$T/secret"
}

ssh_() {
	as_dev ssh -F "$T/ssh_config" "$@"
}

git_() {
	as_dev git "$@"
}

# A key pair of account dev: prints the private key's path.
new_key() { # of type $KEY_TYPE
	local f
	f=$T/key.$RANDOM
	as_dev ssh-keygen -q -t "${KEY_TYPE:-ed25519}" -N '' -C "dev@client" -f "$f"
	echo "$f"
}

# A clone of demo/hello with one commit that the server does not have.
work_tree() { # DIR
	git_ clone -q -b main /srv/fixture "$1" 2>&1 || fail "no fixture"
	git_ -C "$1" remote set-url origin "git@host:demo/hello.git"
	commit "$1"
}

commit() { # DIR
	echo "$RANDOM $RANDOM" >"$1/file-$RANDOM"
	chown -R dev: "$1"
	git_ -C "$1" add -A
	git_ -C "$1" commit -qm change
}

server_git() { # PROJECT ARG...
	local project=$1
	shift
	setpriv --reuid git --regid git --init-groups env HOME=/ git -C "/srv/git/$project.git" "$@"
}

# ---- the server ----

# A host as the README leaves it: alice is developer and bob reporter of group demo, carol is a member of
# nothing, dave of demo/other alone; demo/hello has a commit, so has secret/vault, which only erin may read.
e2e_host() {
	syslog_start "$E2E_DEVLOG"
	local u
	for u in alice bob carol dave erin; do useradd -m -s /bin/bash "$u"; done
	gltoken init
	# Most tests are not about protected branches: alice pushes to main.
	gltoken repo create --no-protect demo/hello
	gltoken repo create --no-protect demo/other
	gltoken repo create --no-protect secret/vault
	gltoken member set demo alice developer
	gltoken member set demo bob reporter
	gltoken member set demo/other dave developer
	gltoken member set secret/vault erin developer
	e2e_fill
	if [ "${E2E_SOCKET-}" = yes ]; then e2e_socket; fi
	sshd_start sshd-git "$SHIPPED/sshd_config.sshd-git"
}

# From now on nobody can start the helper: all goes through its socket, with $E2E_CLOCK at the time of clock(), and a
# copy of it in $E2E_UNDER.
e2e_socket() {
	local helper=/usr/libexec/gltoken/gltoken-auth run
	run=$helper
	if [ -n "${E2E_UNDER-}" ]; then
		run=$E2E_DIR/gltoken-auth
		install -m 755 "$helper" "$run"
	fi
	# shellcheck disable=SC2086 # words
	LIMIT=900 ${E2E_CLOCK:+fake} setsid ${E2E_UNDER-} "$run" --listen >/dev/null 2>&1 </dev/null &
	await test -S /run/gltoken-auth.sock
	chmod 0 "$helper"
}

# Build tests/lib/NAME.c, which does what no program of gltoken would, as $E2E_DIR/NAME.
e2e_tool() { # NAME
	# shellcheck disable=SC2046,SC2086 # words
	cc -std=c11 -D_GNU_SOURCE ${E2E_CFLAGS-} -I"$E2E_BUILD/pam_gltoken/core" -I"$E2E_LIB/../../pam_gltoken/core" \
		-o "$E2E_DIR/$1" "$E2E_LIB/$1.c" "$E2E_BUILD/libglt_core.a" \
		$(pkg-config --cflags --libs lmdb libargon2 libsodium libprotobuf-c inih)
}

e2e_fill() {
	local seed=$E2E_DIR/seed p
	T=$E2E_DIR
	mkdir "$seed"
	chown dev: "$seed"
	git_ init -q "$seed"
	echo hello >"$seed/README"
	commit "$seed"
	# A bundle has no owner for git to doubt.
	git_ -C "$seed" bundle create -q "$seed/bundle" main
	cp "$seed/bundle" /srv/fixture
	for p in demo/hello demo/other secret/vault; do
		server_git "$p" fetch -q /srv/fixture main:main
		server_git "$p" symbolic-ref HEAD refs/heads/main
	done
}

# ---- one file of tests ----

# Tests run in the order in which they stand in the file, or in $E2E_TESTS where several files share them.
e2e_list() {
	# shellcheck disable=SC2086 # one file a word
	grep -ohE '^test_[a-z0-9_]+' ${E2E_TESTS:-"$0"}
}

e2e_one() { # TEST
	set -eEuo pipefail
	trap 'fail "line $LINENO: $BASH_COMMAND"' ERR
	T=$(mktemp -d "$E2E_DIR/t.XXXXXX")
	chown dev: "$T"
	chmod 755 "$T"
	LOG_FROM=0
	if [ -f "$SSHD_DIR/syslog" ]; then LOG_FROM=$(stat -c %s "$SSHD_DIR/syslog"); fi
	"$1"
}

# Prints "ok SECONDS NAME" or "FAIL SECONDS NAME" a test, the output of those that fail before the line.
e2e_main() {
	# A file that is read by another, which runs its tests in another way, does nothing by itself.
	[ "${BASH_SOURCE[1]}" = "$0" ] || return 0
	local file test from out pattern=${2-} failed=0 word
	# The folder is part of the name: e2e/20-cli, lessons/holes.
	file=$(basename "$(cd "$(dirname "$0")" && pwd)")/$(basename "$0" .sh)
	case ${1-} in
	--list) e2e_list | sed "s,^,$file/,"; exit 0 ;;
	--one) e2e_one "$2"; exit 0 ;;
	'' | --match) ;;
	*) echo "usage: $0 [--list | --match ERE]" >&2; exit 2 ;;
	esac
	: "${E2E_DEVLOG:?run this through tests/run}"
	mkdir -p "$E2E_DIR"
	chmod 755 "$E2E_DIR"
	useradd -m -s /bin/bash dev
	printf '[user]\n\tname = Dev\n\temail = dev@example.org\n[init]\n\tdefaultBranch = main\n' >/home/dev/.gitconfig
	if declare -F setup >/dev/null && ! timeout -k 5 120 "$BASH" "$0" --one setup >"$E2E_DIR/setup.out" 2>&1; then
		cat "$E2E_DIR/setup.out"
		echo "FAIL 0.0 $file/setup"
		exit 1
	fi
	for test in $(e2e_list); do
		[[ $file/$test =~ $pattern ]] || continue
		out=$E2E_DIR/$test.out
		from=${EPOCHREALTIME/./}
		word=ok
		timeout -k 5 "${E2E_LIMIT:-180}" "$BASH" "$0" --one "$test" >"$out" 2>&1 </dev/null || word=FAIL
		if [ "$word" = FAIL ]; then
			failed=1
			tail -n 60 "$out"
		fi
		printf '%s %d.%d %s/%s\n' "$word" $(((${EPOCHREALTIME/./} - from) / 1000000)) \
			$(((${EPOCHREALTIME/./} - from) / 100000 % 10)) "$file" "$test"
	done
	exit $failed
}
