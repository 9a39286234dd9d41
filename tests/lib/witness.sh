# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What modules behind pam_gltoken are shown: a witness in front of them writes it to /tmp/witnessed.

witness_start() {
	printf '#!/bin/sh\ncat >>/tmp/witnessed\necho >>/tmp/witnessed\n' >/tmp/witness
	chmod 755 /tmp/witness
}

# A stack that is shipped, as PAM's sshd, with a witness.
witness_stack() { # EXAMPLE
	sed '/pam_gltoken.so/{/^auth/a auth optional pam_exec.so expose_authtok quiet /tmp/witness
}' "$SHIPPED/$1" >/etc/pam.d/sshd
}

both() { # FUNCTION
	local method
	for method in password keyboard-interactive; do
		rm -f /tmp/witnessed
		"$1" "$method"
	done
}

unseen() {
	[ ! -e /tmp/witnessed ] || fail "shown to the next module: $(cat /tmp/witnessed)"
}
