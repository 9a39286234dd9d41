#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A Git token is never a shell: what a good write token does not open.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

setup() {
	e2e_host
	# A service that a tunnel could reach: it greets whoever gets through.
	perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1") or die;
		open my $f, ">", "/tmp/e2e/service.port"; print $f $s->sockport; close $f;
		while (my $c = $s->accept) { print $c "you are through\n"; close $c }' >/dev/null 2>&1 &
	# The host's own sshd with the drop-in: one service for passwords and tokens, alice may log in with hers.
	cp "$SHIPPED/sshd-git-mixed" /etc/pam.d/sshd
	install -m 644 "$SHIPPED/00-gltoken.conf" /etc/ssh/sshd_config.d/00-gltoken.conf
	stock_config >"$E2E_DIR/stock"
	echo 'Include /etc/ssh/sshd_config.d/00-gltoken.conf' >"$E2E_DIR/dropin"
	cat "$E2E_DIR/stock" >>"$E2E_DIR/dropin"
	SSHD_PAM=sshd sshd_start dropin "$E2E_DIR/dropin"
	# The same without the drop-in: all that is left is the module.
	SSHD_PAM=sshd sshd_start stock "$E2E_DIR/stock" 'PermitRootLogin yes' 'PasswordAuthentication yes'
}

# sshd_config as Debian ships it, without the includes.
stock_config() {
	printf '%s\n' 'KbdInteractiveAuthentication yes' 'X11Forwarding yes' 'PrintMotd no' 'AcceptEnv LANG LC_*' \
		'Subsystem sftp /usr/lib/openssh/sftp-server'
}

# Both ways in which the configuration is shipped.
each_sshd() { # FUNCTION
	for SSHD in sshd-git dropin; do
		"$1"
	done
}

writer() {
	new_token --user alice --scope write_repository
	client password "$TOKEN" "$@"
	ok git_ ls-remote git@host:demo/hello.git
}

test_interactive_shell() {
	each_sshd interactive_shell
}
interactive_shell() {
	writer
	INPUT=$'id\nexit\n' run ssh_ -tt git@host
	says 'PTY allocation request failed'
	hides 'uid='
	# Without a terminal, what runs is gltoken-shell's welcome.
	INPUT=$'id\nexit\n' ok ssh_ git@host
	hides 'uid='
	says alice
}

test_commands() {
	each_sshd commands
}
commands() {
	local cmd
	writer
	# shellcheck disable=SC2016 # nothing is to expand it
	for cmd in sh /bin/sh 'sh -c id' 'bash -i' id 'env' 'git shell' 'exec sh' $'git-upload-pack x\nid' \
		'git-upload-pack `id`' 'git --exec-path=/tmp upload-pack demo/hello'; do
		INPUT=$'id\n' no ssh_ git@host "$cmd"
		hides 'uid=|PATH='
	done
}

test_sftp() {
	each_sshd sftp_refused
}
sftp_refused() {
	writer
	INPUT=$'ls /\n' no as_dev sftp -F "$T/ssh_config" git@host
	hides 'etc|bin'
	INPUT=$'ls /\n' no ssh_ -s git@host sftp
}

test_internal_sftp() {
	sshd_start internal "$SHIPPED/sshd_config.sshd-git" 'Subsystem sftp internal-sftp'
	sed 's,^Subsystem.*,Subsystem sftp internal-sftp,' "$E2E_DIR/dropin" >"$E2E_DIR/dropin-internal"
	SSHD_PAM=sshd sshd_start dropin-internal "$E2E_DIR/dropin-internal"
	for SSHD in internal dropin-internal; do sftp_refused; done
}

test_scp() {
	each_sshd scp_refused
}
scp_refused() {
	writer
	for how in -s -O; do
		no as_dev scp "$how" -F "$T/ssh_config" git@host:/etc/passwd "$T/"
		[ ! -e "$T/passwd" ] || fail "scp fetched a file"
		no as_dev scp "$how" -F "$T/ssh_config" /etc/hostname git@host:/tmp/scp-was-here
		[ ! -e /tmp/scp-was-here ] || fail "scp left a file"
	done
}

test_stdio_forwarding() {
	each_sshd stdio_forwarding
}
stdio_forwarding() {
	writer
	no ssh_ -W "127.0.0.1:$(cat "$E2E_DIR/service.port")" git@host
	hides 'you are through'
	says 'administratively prohibited'
}

# An ssh whose session stays open meanwhile, for its command (receive-pack) waits for its input.
session() { # ARGUMENT OF SSH...
	local ssh=(ssh_)
	if [ "$1" = env ]; then ssh=(as_dev); fi
	rm -f "$T/held"
	mkfifo "$T/held"
	LIMIT=90 "${ssh[@]}" "$@" "git-receive-pack 'demo/hello'" <"$T/held" >"$T/out" 2>"$T/err" &
	SESSION=$!
	exec 7>"$T/held"
	LAST="ssh $*"
	RC=0
}

session_ends() {
	exec 7>&-
	wait "$SESSION" || true
}

test_local_and_dynamic_forwarding() {
	each_sshd local_forwarding
}
local_forwarding() {
	local target port socks got=''
	writer
	target=$(cat "$E2E_DIR/service.port")
	(exec 3<>"/dev/tcp/127.0.0.1/$target" && head -n 1 <&3) | grep -q through || fail "the service itself is not there"
	port=$(free_port 20000) socks=$(free_port 29001)
	session -L "$port:127.0.0.1:$target" -D "$socks" git@host
	await listens "$port"
	await listens "$socks"
	got=$( (exec 3<>"/dev/tcp/127.0.0.1/$port" && timeout 2 head -n 1 <&3) 2>/dev/null || true)
	[ -z "$got" ] || fail "-L let '$got' through"
	# SOCKS4: connect to 127.0.0.1:target; an answer of 5a is "granted".
	got=$( (exec 3<>"/dev/tcp/127.0.0.1/$socks" &&
		printf '\4\1\\x%02x\\x%02x\x7f\0\0\1\0' $((target / 256)) $((target % 256)) | xargs -0 printf '%b' >&3
		timeout 2 head -n 1 <&3) 2>/dev/null | tr -d '\0' || true)
	[[ $got != *through* ]] || fail "-D let '$got' through"
	session_ends
	says 'administratively prohibited'
	hides 'you are through'
}

test_remote_forwarding() {
	each_sshd remote_forwarding
}
remote_forwarding() {
	writer
	no ssh_ -o ExitOnForwardFailure=yes -R "0:127.0.0.1:$(cat "$E2E_DIR/service.port")" git@host
	says 'remote port forwarding failed'
	no ssh_ -o ExitOnForwardFailure=yes -R "$T/socket:127.0.0.1:1" git@host
	says 'forwarding failed'
}

test_agent_and_x11_forwarding() {
	each_sshd agent_and_x11
}
agent_and_x11() {
	local key
	writer 'IdentityAgent SSH_AUTH_SOCK'
	key=$(new_key)
	session env DISPLAY=:9 ssh-agent sh -c "ssh-add -q $key; exec ssh -v -F $T/ssh_config -A -X git@host \"\$0\""
	await grep -q 'refs/heads/main' -a "$T/out"
	# sshd's end of a forwarded agent is a socket in a folder of the account git.
	if find /tmp -maxdepth 1 -name 'ssh-*' -user git | grep .; then fail "the agent was forwarded"; fi
	session_ends
	says 'Requesting authentication agent forwarding'
	says 'X11 forwarding request failed'
}

test_shell_environment_of_the_user_runs_nothing() {
	# With the home in the hands of root there is nothing to plant; if there were, sshd must not run it.
	[ "$(stat -c '%U %a' "$(getent passwd git | cut -d: -f6)")" = 'root 755' ] || fail "the home of git is not root's"
	each_sshd user_rc
}
user_rc() {
	local home
	home=$(getent passwd git | cut -d: -f6)
	mkdir -p "$home/.ssh"
	echo 'touch /tmp/rc-ran' >"$home/.ssh/rc"
	echo 'touch /tmp/rc-ran' >"$home/.bashrc"
	writer
	ok ssh_ git@host
	[ ! -e /tmp/rc-ran ] || fail "a file in the home of git was run"
	rm -r "$home/.ssh" "$home/.bashrc"
}

# ---- accounts whose shell is not gltoken-shell ----

test_bash_account() {
	local method type
	new_token --user alice --scope api
	for SSHD in stock dropin; do
		for method in password keyboard-interactive; do
			client "$method" "$TOKEN"
			no ssh_ alice@host id
			says 'Permission denied'
			hides 'uid='
			no ssh_ -N -o ExitOnForwardFailure=yes -R 0:127.0.0.1:1 alice@host
			INPUT=$'ls /\n' no as_dev sftp -F "$T/ssh_config" alice@host
			no ssh_ root@host id
			says 'Permission denied'
		done
	done
	logged "event=login .*decision=deny .*reason=not_git_account .*token=$ID .*account=alice"
	for type in '--project demo/hello --role maintainer' '--group demo --role owner' '--deploy demo/hello'; do
		# shellcheck disable=SC2086 # options
		new_token $type --scope write_repository
		SSHD=stock client password "$TOKEN"
		no ssh_ alice@host id
		says 'Permission denied'
	done
	# What the module lets through there is the account that is meant for it.
	new_token --user alice --scope write_repository
	SSHD=stock client password "$TOKEN"
	ok git_ ls-remote git@host:demo/hello.git
}

# A shell changed while a ticket is out: the account phase asks again.
test_shell_that_becomes_bash() {
	new_token --user alice --scope write_repository
	SSHD=stock client password "$TOKEN"
	usermod -s /bin/bash git
	no ssh_ git@host id
	usermod -s /bin/sh git
	no ssh_ git@host id
	usermod -s "$(command -v gltoken-shell)" git
	ok ssh_ git@host
}

test_git_shell_account() {
	useradd -m -s "$(command -v git-shell)" gina
	git clone -q --bare /srv/fixture /home/gina/own.git
	chown -R gina: /home/gina/own.git
	gltoken member set demo gina developer
	gina_allowed --user gina --scope write_repository
	gina_allowed --user gina --scope api
	gina_refused git_shell_account --user gina --scope read_repository
	gina_refused git_shell_account --user gina --scope read_api
	gina_refused git_shell_account --user gina --scope write_repository --only-repo 'demo/*'
	logged 'give the account gltoken-shell'
	# Whatever the shell, these do not open a person's account.
	gina_refused wrong_account --project demo/hello --role developer --scope write_repository
	gina_refused wrong_account --group demo --role developer --scope write_repository
	gina_refused wrong_account --deploy demo/hello --scope write_repository
	gina_refused wrong_account --user alice --scope write_repository
}
gina_allowed() {
	new_token "$@"
	SSHD=stock client password "$TOKEN"
	rm -rf "$T/g"
	ok git_ clone gina@host:own.git "$T/g"
	commit "$T/g"
	ok git_ -C "$T/g" push origin "HEAD:refs/heads/by-$ID"
}
gina_refused() { # REASON, ARGUMENTS OF ISSUE
	local reason=$1
	shift
	new_token "$@"
	SSHD=stock client password "$TOKEN"
	no git_ ls-remote gina@host:own.git
	says 'Permission denied'
	logged "decision=deny .*reason=$reason .*token=$ID .*account=gina"
}

# The shared account of a legacy host: git-shell would serve every repository to each of them.
test_shared_account_with_git_shell() {
	local type
	usermod -s "$(command -v git-shell)" git
	for type in '--user alice' '--project demo/hello --role developer' '--deploy demo/hello'; do
		# shellcheck disable=SC2086 # options
		new_token $type --scope write_repository
		SSHD=stock client password "$TOKEN"
		no git_ ls-remote git@host:/srv/git/secret/vault.git
		says 'Permission denied'
		logged "decision=deny .*reason=git_shell_account .*token=$ID .*account=git .*give the account gltoken-shell"
	done
	usermod -s "$(command -v gltoken-shell)" git
	ok git_ ls-remote git@host:demo/hello.git
}

test_nologin_account() {
	useradd -m -s /usr/sbin/nologin nora
	new_token --user nora --scope api
	SSHD=stock client password "$TOKEN"
	no ssh_ nora@host
	logged "decision=deny .*reason=not_git_account .*token=$ID"
}

e2e_main "$@"
