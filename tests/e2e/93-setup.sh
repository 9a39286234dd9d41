#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gltoken setup: what it makes works, what fails is taken back byte for byte, and so is all of it on request.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

setup() {
	syslog_start "$E2E_DEVLOG"
	useradd -m -s /bin/bash alice
	mkdir -p /run/sshd
	gltoken init
	gltoken repo create demo/hello
	gltoken member set demo/hello alice developer
	# A name that this host need not know.
	echo '127.0.0.1 git.test' >>/etc/hosts
}

# What a host has that setup may touch, with owners, modes and times.
host() {
	local paths=(/etc/ssh /etc/pam.d /etc/nsswitch.conf /etc/nginx /etc/apache2 /etc/lighttpd /usr/sbin /run/gltoken-http.sock)
	{ find "${paths[@]}" \( -type f -o -type l -o -type s \) -printf '%p %u:%g %m %T@ %l\n' 2>/dev/null || true; } | sort
	find /etc/ssh /etc/pam.d /etc/nsswitch.conf -type f -exec sha256sum {} + | sort -k 2
}

nothing_runs() { # nobody here waits for orphans that have ended
	! pgrep -r D,R,S,T -x 'sshd-git|fcgiwrap' >/dev/null
}

no_nginx() {
	! pgrep -x -r R,S,D nginx
}

as_it_was() {
	[ "$(host)" = "$before" ] || fail "the host is not as it was: $(diff <(echo "$before") <(host))"
	[ ! -e /var/lib/gltoken/setup ] || fail "the journal is still there: $(cat /var/lib/gltoken/setup/journal)"
	await nothing_runs # it has been told to end
	ok gltoken repo list
	hides trial
	ok gltoken list
	hides 'setup-'
}

clone_with() { # PORT
	new_token --user alice --scope read_repository
	install -m 600 -o dev -g dev /dev/null "$T/secret"
	install -m 600 -o dev -g dev /dev/null "$T/secret.asked"
	echo "$TOKEN" >"$T/secret"
	printf '%s\n' 'Host *' "Port $1" 'StrictHostKeyChecking no' 'UserKnownHostsFile /dev/null' 'LogLevel ERROR' \
		'PubkeyAuthentication no' >"$T/ssh_config"
	rm -rf "$T/copy"
	git_ clone git@127.0.0.1:demo/hello.git "$T/copy"
}

test_usage() {
	rc 2 gltoken setup --wrong
	says "unknown option '--wrong'"
	rc 2 gltoken setup --ssh both --yes
	says "'both' is none of own, main, no"
	rc 2 gltoken setup --port 65536 --yes
	says "'65536' is no port"
	rc 2 gltoken setup --web iis --yes
	says "'iis' is none of"
	rc 2 gltoken setup --web nginx --server-name 'a b' --yes
	says "'a b' is no host name"
	rc 2 gltoken setup --web nginx --server-name -x --yes
	says "'-x' is no host name"
	rc 2 gltoken setup --ssh own
	says 'nobody is there to be asked'
	rc 3 setpriv --reuid alice --regid alice --clear-groups gltoken setup --yes
	says 'only root'
	rc 1 gltoken setup --undo
	says 'nothing to undo'
	ok gltoken setup --help
	says '^usage: gltoken setup'
}

test_bots_are_accounts() {
	local before kept=$T/nsswitch.conf bot
	cp -p /etc/nsswitch.conf "$kept"
	printf '%s\n' 'passwd: files # as it was' 'group:files' 'initgroups: files' 'hosts: files dns' >/etc/nsswitch.conf
	before=$(host)
	gltoken repo create demo/bots
	new_token --project demo/bots --role developer --scope read_repository
	bot=$(gltoken show "$ID" --json | jq -r .user)
	ok gltoken setup --nss --ssh no --web no --dry-run
	[ "$(host)" = "$before" ] || fail 'a dry run has changed the host'
	no getent passwd "$bot"
	rm -f /var/lib/gltoken/public/nss.cdb
	ok gltoken setup --nss --ssh no --web no --yes
	hides 'does not name'
	ok grep -c gltoken /etc/nsswitch.conf
	says '^4$'
	ok getent passwd "$bot"
	ok getent shadow "$bot"
	ok gltoken setup --undo
	as_it_was
	mkdir -p /etc/gltoken/conf.d
	printf '[nss]\nuids = range\nuid_min = 1000\nuid_max = 2000\n' >/etc/gltoken/conf.d/nss.conf
	rc 1 gltoken setup --nss --ssh no --web no --yes
	says 'overlaps account'
	rm /etc/gltoken/conf.d/nss.conf
	as_it_was
	gltoken revoke "$ID" 2>/dev/null
	cp -p "$kept" /etc/nsswitch.conf
}

test_dry_run_does_nothing() {
	local before
	before=$(host)
	ok gltoken setup --dry-run --ssh own --port "$(free_port 21000)"
	says 'write /etc/ssh/sshd_config.sshd-git'
	says 'Nothing was done'
	as_it_was
}

test_an_sshd_of_its_own() {
	local before port
	before=$(host)
	port=$(free_port 21000)
	ok gltoken setup --yes --ssh own --port "$port"
	says 'Done'
	ok clone_with "$port"
	[ -d "$T/copy/.git" ] || fail "no clone"
	# Once more: there is nothing left to write.
	ok gltoken setup --yes --ssh own --port "$port"
	hides 'write|change|link'
	# The port stays where clients look for it.
	ok gltoken setup --yes
	hides 'write|change|link'
	ok gltoken setup --undo
	as_it_was
	no clone_with "$port"
}

test_the_main_sshd() {
	local before root
	before=$(host)
	root=$(sshd -T -C user=root,host=x,addr=192.0.2.1)
	rc 1 gltoken setup --yes --ssh main
	says 'PAMServiceName|Done'
	as_it_was
	ok gltoken setup --yes --ssh main --pam-sshd
	ok sshd -T -C user=git,host=x,addr=192.0.2.1
	says '^forcecommand /usr/bin/gltoken-shell'
	[ "$(sshd -T -C user=root,host=x,addr=192.0.2.1)" = "$root" ] || fail "root's rules have changed"
	[ "$(grep -c pam_gltoken.so /etc/pam.d/sshd)" = 3 ] || fail "PAM's sshd: $(cat /etc/pam.d/sshd)"
	[ ! -e /etc/pam.d/gltoken-trial ] || fail "the trial's PAM service is still there"
	SSHD_PAM=sshd sshd_start main /etc/ssh/sshd_config
	ok clone_with "$(cat "$SSHD_DIR/main/port")"
	echo 'alice:unix password' | chpasswd
	SSHD=main client password 'unix password'
	ok ssh_ alice@host 'echo a shell'
	says 'a shell'
	sshd_stop main
	ok gltoken setup --undo
	as_it_was
}

test_web() {
	local before
	before=$(host)
	useradd -r -M www-data 2>/dev/null || true
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=git.test -keyout "$T/key.pem" -out "$T/cert.pem" 2>/dev/null
	ok gltoken setup --yes --ssh no --web nginx --server-name git.test --certificate "$T/cert.pem" --key "$T/key.pem"
	ok nginx
	gltoken repo create demo/web
	new_token --project demo/web --role reporter --scope read_repository
	printf '[http]\n\tsslVerify = false\n[credential]\n\thelper = "!f() { echo username=x; echo password=%s; }; f"\n' \
		"$TOKEN" >"$T/gitconfig"
	chown dev: "$T/gitconfig"
	ok git_ -c include.path="$T/gitconfig" clone https://git.test/git/demo/web.git "$T/web"
	# Nor is what serves it started twice, or ended by what fails.
	ok gltoken setup --yes --ssh no --web nginx --server-name git.test --certificate "$T/cert.pem" --key "$T/key.pem"
	hides 'write|change|link|start '
	rc 1 gltoken setup --yes --ssh no --web nginx --server-name git.test --certificate "$T/cert.pem" --key "$T/cert.pem"
	says 'nginx refuses its configuration'
	ok git_ -c include.path="$T/gitconfig" ls-remote https://git.test/git/demo/web.git
	nginx -s stop
	await no_nginx
	ok gltoken setup --undo
	as_it_was
}

# It goes on running whatever becomes of the second one, and there are never two.
test_set_up_again() {
	local before port other
	before=$(host)
	port=$(free_port 21000) other=$(free_port 22000)
	ok gltoken setup --yes --ssh own --port "$port"
	ok gltoken setup --yes --ssh own --port "$other"
	says 'restart sshd-git'
	ok clone_with "$other"
	no listens "$port"
	socat "TCP-LISTEN:$port,bind=0.0.0.0,reuseaddr,fork" /dev/null &
	await listens "$port"
	rc 1 gltoken setup --yes --ssh own --port "$port" --json
	[ "$(jq -c '[.taken_back, .steps[-1].action]' "$T/out")" = '[true,"restart"]' ] || fail "$(outcome)"
	await listens "$other"
	ok clone_with "$other"
	kill %1
	ok gltoken setup --undo
	as_it_was
	no listens "$other"
}

# What is wrong already is said, and nothing is done.
test_an_sshd_that_is_broken() {
	local before
	echo 'NoSuchOption yes' >/etc/ssh/sshd_config.d/zz.conf
	before=$(host)
	rc 1 gltoken setup --yes --ssh main --pam-sshd
	says 'sshd refuses its configuration as it is: .*NoSuchOption'
	as_it_was
	rm /etc/ssh/sshd_config.d/zz.conf
}

# What a drop-in of somebody else does first cannot be undone by ours, and is seen before it counts.
test_a_rival_drop_in() {
	local before
	echo 'PasswordAuthentication no' >/etc/ssh/sshd_config.d/00-a.conf
	printf 'Match User git\n\tPermitTTY yes\n' >>/etc/ssh/sshd_config.d/00-a.conf
	before=$(host)
	rc 1 gltoken setup --yes --ssh main --pam-sshd
	says "account git does not get 'permittty no'"
	says 'This host is as it was'
	as_it_was
	rm /etc/ssh/sshd_config.d/00-a.conf
}

test_fails_where_it_cannot_write() {
	local before
	before=$(host)
	mount --bind -o ro /usr/sbin /usr/sbin
	mount -o remount,bind,ro /usr/sbin
	no gltoken setup --yes --ssh own --port "$(free_port 21000)"
	umount /usr/sbin
	as_it_was
}

test_fails_where_sshd_refuses() {
	local before
	before=$(host)
	cp /usr/share/doc/gltoken/examples/sshd_config.sshd-git "$T/example"
	echo 'NoSuchOption yes' >>/usr/share/doc/gltoken/examples/sshd_config.sshd-git
	rc 1 gltoken setup --yes --ssh own --port "$(free_port 21000)"
	says 'sshd refuses sshd_config.sshd-git'
	cp "$T/example" /usr/share/doc/gltoken/examples/sshd_config.sshd-git
	as_it_was
}

test_fails_where_no_token_opens() {
	local before stack=/etc/pam.d/sshd-git
	cp -p $stack "$T/stack"
	sed -i '1i auth requisite pam_deny.so' $stack
	before=$(host)
	rc 1 gltoken setup --yes --ssh own --port "$(free_port 21000)"
	says 'a login with a token and a clone do not work'
	as_it_was
	cp -p "$T/stack" $stack
}

test_fails_where_the_port_is_taken() {
	local before port
	port=$(free_port 21000)
	socat "TCP-LISTEN:$port,bind=0.0.0.0,fork" /dev/null &
	await listens "$port"
	before=$(host)
	no gltoken setup --yes --ssh own --port "$port"
	as_it_was
	kill %1
}

test_killed_and_undone() {
	local before after
	before=$(host)
	for after in 0.05 0.1 0.2 0.3 0.4 0.5 proof; do
		rm -f "$T/log"
		gltoken setup --yes --ssh own --port "$(free_port 21000)" >"$T/log" 2>&1 &
		if [ $after = proof ]; then await grep -q Proof "$T/log"; else sleep $after; fi
		# One that it was just starting may be missed the first time.
		while pgrep -f gltoken-setup >/dev/null; do pkill -9 -f gltoken-setup || true; done
		wait || true
		[ ! -e /var/lib/gltoken/setup ] || ok gltoken setup --undo
		as_it_was
	done
}

# What was there before is kept until it is put back, whatever is set up meanwhile.
test_changed_since() {
	local before own=/etc/ssh/sshd_config.sshd-git was
	before=$(host)
	echo '# of before' >$own
	ok gltoken setup --yes --ssh own --port "$(free_port 21000)"
	echo '# mine' >>$own
	rc 1 gltoken setup --undo
	says 'sshd_config.sshd-git was changed since and stays as it is'
	grep -q '^# mine' $own || fail "the administrator's change is gone"
	was=$(sed -n 's/.*before setup it was as \(.*\) is$/\1/p' "$T/err")
	[ "$(cat "$was")" = '# of before' ] || fail "what was before is not in '$was'"
	rc 1 gltoken setup --undo --json
	[ "$(jq -c '[.ok, .changed, [.steps[].action]]' "$T/out")" = '[false,false,["keep"]]' ] || fail "$(outcome)"
	ok gltoken setup --yes --ssh own --port "$(free_port 21000)"
	[ "$(cat "$was")" = '# of before' ] || fail "another setup has written over $was"
	rc 1 gltoken setup --undo
	says 'was changed since'
	grep -q '^# mine' $own || fail "the administrator's change is gone"
	cp -p "$was" $own
	ok gltoken setup --undo
	[ "$(cat $own)" = '# of before' ] || fail "$(cat $own)"
	rm $own
	as_it_was
}

of_json() { # FILTER WANTED
	[ "$(jq -c "$1" "$T/out")" = "$2" ] || fail "$1 is not $2: $(outcome)"
}

test_json() {
	local before port
	before=$(host)
	port=$(free_port 21000)
	ok gltoken setup --json --dry-run --ssh own --port "$port"
	of_json '[.ok, .error, .dry_run, .changed, .taken_back]' '[true,null,true,false,false]'
	of_json '[.steps[] | .action + " " + .object]' \
		'["write /etc/ssh/sshd_config.sshd-git","link /usr/sbin/sshd-git","start sshd-git"]'
	as_it_was
	ok gltoken setup --json --yes --ssh own --port "$port"
	of_json '[.ok, .error, .dry_run, .changed, .taken_back, (.next | length > 2)]' '[true,null,false,true,false,true]'
	of_json '.steps | length' 3
	ok gltoken setup --json --yes --ssh own --port "$port"
	of_json '[.ok, .changed, (.steps | map(select(.action == "write" or .action == "link")))]' '[true,false,[]]'
	ok gltoken setup --json --undo
	of_json '[.ok, .changed, .next]' '[true,true,[]]'
	of_json '[.steps[].action] | unique' '["remove","stop","unlink"]'
	as_it_was
	rc 1 gltoken setup --json --undo
	of_json '[.ok, .error, .steps]' '[false,"there is nothing to undo: gltoken setup has changed nothing here",[]]'
	rc 3 setpriv --reuid alice --regid alice --clear-groups gltoken setup --yes --json
	of_json '[.ok, .error]' '[false,"only root can set the host up: sudo gltoken setup"]'
	port=$(free_port 24000) # on the other one, what was closed a moment ago lingers
	socat "TCP-LISTEN:$port,bind=0.0.0.0,fork" /dev/null &
	await listens "$port"
	rc 1 gltoken setup --json --yes --ssh own --port "$port"
	of_json '[.ok, .changed, .taken_back, .next, (.error | length > 5)]' '[false,false,true,[],true]'
	of_json '[.steps[0,-1].action]' '["write","remove"]'
	kill %1
	as_it_was
}

e2e_main "$@"
