# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# systemd itself as process 1 of a pid namespace, with our units, those that they need, and no others. It ends with the
# private root.

SYSTEMD_UNITS=/run/glt-units

# What units pull in by default, with nothing behind it.
systemd_units() {
	local t
	mkdir -p "$SYSTEMD_UNITS"
	cp "$SHIPPED"/*.service "$SHIPPED"/*.socket "$SHIPPED"/*.timer "$SYSTEMD_UNITS"
	for t in nginx ssh; do
		[ ! -e "/lib/systemd/system/$t.service" ] || cp "/lib/systemd/system/$t.service" "$SYSTEMD_UNITS"
	done
	for t in basic sysinit sockets timers shutdown time-sync network-online nss-user-lookup local-fs multi-user time-set; do
		printf '[Unit]\nDescription=%s\nDefaultDependencies=no\n' "$t" >"$SYSTEMD_UNITS/$t.target"
	done
}

systemd_start() {
	# shellcheck disable=SC2016 # for the inner shell
	setsid unshare --pid --mount --uts --ipc --cgroup --fork --kill-child --mount-proc bash -euc '
		umount -l /sys/fs/cgroup 2>/dev/null || true
		mount -t cgroup2 cgroup2 /sys/fs/cgroup
		: >>/dev/console
		mount --bind /dev/null /dev/console
		exec env -i container=test PATH="$PATH" SYSTEMD_UNIT_PATH="$1" SYSTEMD_LOG_TARGET=null \
			/lib/systemd/systemd --system --unit=basic.target' - "/etc/systemd/system:$SYSTEMD_UNITS" </dev/null >"$E2E_DIR/systemd.out" 2>&1 &
	SYSTEMD_OUTER=$!
	local _
	for _ in {1..200}; do
		SYSTEMD_PID=$(pgrep -P "$SYSTEMD_OUTER" || true)
		if [ -n "$SYSTEMD_PID" ] && [ "$(systemctl_ is-active basic.target 2>/dev/null)" = active ]; then
			echo "$SYSTEMD_PID" >"$E2E_DIR/systemd.pid"
			return 0
		fi
		kill -0 "$SYSTEMD_OUTER" 2>/dev/null || break
		sleep 0.1
	done
	fail "systemd does not come up: $(cat "$E2E_DIR/systemd.out")"
}

under_systemd() { # COMMAND...
	local pid=${SYSTEMD_PID:-$(cat "$E2E_DIR/systemd.pid")}
	timeout -k 5 "${LIMIT:-60}" nsenter --target "$pid" --root --mount --pid --uts --ipc --cgroup --wd="$PWD" "$@"
}

systemctl_() {
	under_systemd systemctl "$@"
}
