# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# A real sshd on a free loopback port, and what a client needs to reach it. For use inside private-root.sh:
# the logger stands at /dev/log. State is kept in $SSHD_DIR/NAME/: port, pid, log, config, known_hosts.

: "${SSHD_DIR:=/tmp/sshd}"

# Collect what programs send to syslog in $SSHD_DIR/syslog.
syslog_start() { # DEVLOG
	mkdir -p "$SSHD_DIR"
	"$1" /dev/log "$SSHD_DIR/syslog" &
	for _ in {1..400}; do
		if [ -S /dev/log ]; then return 0; fi
		sleep 0.05
	done
	echo "the log collector did not start" >&2
	return 1
}

# Start one with the PAM service $SSHD_PAM (default sshd-git) and the configuration in CONFIG-FILE, but on a port of
# its own; LINEs of sshd_config come before it, so that they win.
sshd_start() { # NAME CONFIG-FILE [LINE]...
	local name=$1 config=$2 dir=$SSHD_DIR/$1 pam=${SSHD_PAM:-sshd-git} sshd
	shift 2
	sshd=$(command -v sshd || echo /usr/sbin/sshd)
	mkdir -p "$dir" /run/sshd
	[ -f "$dir/host_key" ] || ssh-keygen -q -t ed25519 -N '' -C '' -f "$dir/host_key"
	# sshd's own name is the PAM service's, and since OpenSSH 9.8 an option is.
	local prog=$dir/$pam
	ln -sf "$sshd" "$prog"
	if "$sshd" -t -f /dev/null -h "$dir/host_key" -o "PAMServiceName=$pam" 2>/dev/null; then
		set -- "PAMServiceName $pam" "$@"
	fi
	for _ in {1..20}; do
		local port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
		printf '%s\n' "Port $port" 'ListenAddress 127.0.0.1' "HostKey $dir/host_key" "PidFile $dir/pid" \
			'LogLevel VERBOSE' 'UsePAM yes' "$@" >"$dir/config"
		sed -E '/^(Port|ListenAddress|PidFile) /d' "$config" >>"$dir/config"
		"$prog" -t -f "$dir/config" || return 1
		rm -f "$dir/pid"
		: >"$dir/log"
		"$prog" -f "$dir/config" -E "$dir/log" || continue
		if sshd_ready "$dir" "$port"; then
			echo "$port" >"$dir/port"
			echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 "$dir/host_key.pub")" >"$dir/known_hosts"
			chmod 644 "$dir/known_hosts"
			chmod 755 "$SSHD_DIR" "$dir"
			return 0
		fi
	done
	cat "$dir/log" >&2
	echo "sshd did not start" >&2
	return 1
}

# The pid file comes after the bind; a port that somebody else took shows as an sshd that is gone.
sshd_ready() { # DIR PORT
	for _ in {1..400}; do
		if [ -s "$1/pid" ] && (exec 3<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null; then
			kill -0 "$(cat "$1/pid")" 2>/dev/null
			return
		fi
		sleep 0.05
	done
	return 1
}

sshd_stop() { # NAME
	kill "$(cat "$SSHD_DIR/$1/pid")"
}

# A client's ssh_config, so that `ssh -F FILE git@host` is all that is needed.
ssh_config() { # NAME METHOD [LINE]...
	local name=$1 method=$2
	shift 2
	printf '%s\n' "$@" 'Host *' 'HostName 127.0.0.1' "Port $(cat "$SSHD_DIR/$name/port")" \
		"UserKnownHostsFile $SSHD_DIR/$name/known_hosts" 'GlobalKnownHostsFile /dev/null' \
		'StrictHostKeyChecking yes' "PreferredAuthentications $method" 'NumberOfPasswordPrompts 1' \
		'ConnectTimeout 20' 'IdentityAgent none' 'IdentitiesOnly yes'
	[ "$method" = publickey ] || echo 'IdentityFile none'
}
