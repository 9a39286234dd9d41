#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What README.md and the manual tell one to type works as it stands there, one line after the other.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

TOP=$E2E_LIB/../..

# An account or two, what the examples take from files, and git.example.org for this machine.
setup() {
	local user
	syslog_start "$E2E_DEVLOG"
	for user in alice bob; do useradd -m -s /bin/bash "$user"; done
	groupadd qa
	cd /root
	mkdir -p /mnt/elsewhere /var/lib/prometheus/node-exporter
	ssh-keygen -q -t ed25519 -N '' -f one
	ssh-keygen -q -t ed25519 -N '' -f two
	cp one.pub id_ed25519.pub
	cp two.pub web1.pub
	printf 'name,user\nfirst,alice\nsecond,bob\n' >teams.csv
	printf 'name,user\nthird,alice\nfourth,bob\n' >users.csv
	printf 'member demo alice developer\nprotect demo/hello main push=maintainer\n' >host.conf
}

# Lines of code blocks, each with what continues it and without its remark.
readme_lines() { # FROM-HEADING
	awk -v from="## $1" '
		/^## / { on = ($0 == from) }
		on && /^    / {
			line = substr($0, 5); sub(/ +# .*/, "", line)
			while (line ~ /\\$/) { sub(/\\$/, "", line); getline more; sub(/^ +/, "", more); sub(/ +# .*/, "", more); line = line more }
			print line
		}' "$TOP/README.md"
}

manual_lines() { # PAGE
	awk '/^```/ { on = !on; next } on' "$TOP/conf/man/$1.scd" | sed 's/\\\\/\\/g' | awk '
		/^# / {
			line = substr($0, 3)
			while (line ~ /(\\|&&)$/) { sub(/\\$/, "", line); getline more; sub(/^ +/, "", more); line = line " " more }
			print line
		}'
}

# As root types it, in root's home.
types() { # LINE
	# shellcheck disable=SC2016 # for the shell in there
	LIMIT=100 ok env HOME=/root bash -c 'sudo() { "$@"; }; cd /root; set -o pipefail; eval "$1"' - "$1"
}

each() { # FUNCTION THAT SAYS WHETHER IT IS FOR HERE
	local line n=0
	while IFS= read -r line; do
		"$1" "$line" || continue
		types "$line"
		n=$((n + 1))
	done <"$T/lines"
	echo "$n" >"$T/n"
}

ran() { # AT LEAST
	[ "$(cat "$T/n")" -ge "$1" ] || fail "only $(cat "$T/n") lines were found: $(cat "$T/lines")"
}

# Beside gitolite and between hosts: 39-import-from, 67-export. Files that are not there: 66-backup, 72-upgrade.
is_ours() { # LINE
	case $1 in
	*' setup'* | *'| ssh '* | *ADDRESS* | *schema-1-* | *gitolite* | *authorized_keys*) return 1 ;;
	*gltoken*) case $1 in sudo\ gltoken* | gltoken*) ;; *) return 1 ;; esac ;;
	*) return 1 ;;
	esac
	# Some depend on what is there by then.
	case $1 in
	*' init') rm -rf /var/lib/gltoken/store ;;
	*'--stdin'*) gltoken issue --name leaked --user bob --scope api >/root/file 2>/dev/null && cp /root/file /root/report.txt ;;
	*doctor*) gltoken init --if-absent 2>&1 && own_sshd ;;
	*'edit alice/laptop'*) gltoken issue --if-absent --name laptop --user alice --scope write_repository 2>&1 ;;
	*'--from-file users.csv'*) gltoken user unblock alice ;;
	*'restore /root'*) [ -e /root/gltoken.backup ] || gltoken backup /root/gltoken.backup ;;
	*'repo adopt') git init -q --bare /srv/git/old/stuff.git ;;
	*'edit 17'*) gltoken show 17 >/dev/null || fail "no token 17 yet" ;;
	*'--op push --repo demo/hello --account git') gltoken issue --name laptop --user bob --scope write_repository && gltoken member set demo/hello bob developer ;;
	esac >/dev/null
}

# The README's own lines; but for the port, which others may use here, and systemd.
own_sshd() {
	[ ! -e /etc/ssh/sshd_config.sshd-git ] || return 0
	EX=$SHIPPED
	export EX
	awk '/^### An sshd of its own/ { on = 1 } /^### The main/ { on = 0 } on && /^        sudo (cp|ln) /' "$TOP/README.md" |
		grep -v systemd >"$T/own"
	[ "$(wc -l <"$T/own")" = 2 ] || fail "$(cat "$T/own")"
	mkdir -p /run/sshd
	# shellcheck source=/dev/null
	(sudo() { "$@"; } && . "$T/own")
	sed -i "s/^Port .*/Port $(free_port 21000)/" /etc/ssh/sshd_config.sshd-git
	/usr/sbin/sshd-git -t -f /etc/ssh/sshd_config.sshd-git
	/usr/sbin/sshd-git -f /etc/ssh/sshd_config.sshd-git
}

test_readme_from_init_to_every_day() {
	local part
	for part in Install 'First repository and token' 'Every day' Speed; do readme_lines "$part"; done >"$T/lines"
	each is_ours
	ran 28
	ok gltoken check
}

test_readme_for_git_users() {
	local line port
	gltoken member set demo/hello alice maintainer
	new_token --user alice --scope api
	port=$(sed -n 's/^Port //p' /etc/ssh/sshd_config.sshd-git)
	install -m 600 -o dev -g dev /dev/null "$T/secret"
	install -m 600 -o dev -g dev /dev/null "$T/secret.asked"
	echo "$TOKEN" >"$T/secret"
	printf '%s\n' 'Host git.example.org' 'HostName 127.0.0.1' "Port $port" 'StrictHostKeyChecking no' \
		'UserKnownHostsFile /dev/null' 'PubkeyAuthentication no' 'NumberOfPasswordPrompts 1' >"$T/ssh_config"
	readme_lines 'For Git users' | grep '^ssh git@\|^git clone git@' >"$T/lines"
	while IFS= read -r line; do
		# shellcheck disable=SC2086 # words, as a shell makes them of that line
		LIMIT=60 ok as_dev env -C "$T" ${line/#ssh /ssh -F $T/ssh_config }
		# Rotated: the new one is what is used from now on.
		if grep -q '^Token:' "$T/out" && [[ $line == *rotate* ]]; then sed -n 's/^Token: *//p' "$T/out" >"$T/secret"; fi
	done <"$T/lines"
	[ "$(wc -l <"$T/lines")" -ge 6 ] || fail "$(cat "$T/lines")"
}

test_examples_of_the_manual() {
	rm -rf /var/lib/gltoken/store /srv/git/demo* /srv/git/old /root/tokens.html /root/audit.jsonl /root/gltoken.backup
	gltoken init
	gltoken repo create demo/hello
	gltoken member set demo alice developer
	cat <(manual_lines gltoken.1) <(manual_lines gltoken.7) <(manual_lines gltoken-doctor.8) >"$T/lines"
	each is_ours
	ran 28
}

e2e_main "$@"
