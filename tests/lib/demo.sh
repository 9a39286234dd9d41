# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# A store that looks as if a host had been in use for a year, for pictures and for the test of the report. For use
# inside private-root.sh, as root.

demo_names=(laptop desktop ci deploy-bot mirror backup release nightly docs-build staging)

# A command as it would have run so many days ago.
demo_ago() { # DAYS COMMAND...
	local lib days=$1
	shift
	for lib in /usr/lib/*/faketime/libfaketime.so.1; do
		LD_PRELOAD=$lib FAKETIME="-${days}d" FAKETIME_DONT_FAKE_MONOTONIC=1 "$@"
		return
	done
}

demo_people() {
	local u p
	for u in alice bob carol dave erin frank; do useradd -m -s /bin/bash "$u" || true; done
	demo_ago 400 gltoken init --if-absent
	for p in web/shop web/blog infra/ansible infra/images research/model demo/hello; do gltoken repo create "$p"; done
	gltoken member set web alice maintainer
	gltoken member set web/shop bob developer
	gltoken member set web/blog carol developer
	gltoken member set infra dave owner
	gltoken member set infra/ansible erin developer
	gltoken member set research frank maintainer
	gltoken member set research alice reporter
	gltoken member set demo/hello @users developer
}

demo_issue() { # DAYS-AGO LIFETIME ARGUMENT...
	demo_ago "$1" gltoken issue --expires "$2d" "${@:3}"
}

# Log in with a token's text on standard input, as sshd would.
demo_use() {
	local token
	read -r token
	printf 'verb=verify\nsecret=%s\naccount=git\nservice=sshd\nrhost=192.0.2.7\n\n' "$token" |
		/usr/libexec/gltoken/gltoken-auth
}

demo_tokens() {
	local i=0 u s age
	for u in alice bob carol dave erin frank; do
		for s in write_repository read_repository read_repository,self_rotate; do
			age=$((i * 41 % 330))
			demo_issue $age $((age + i * 17 % 350 + 3 > 364 ? 364 : age + i * 17 % 350 + 3)) --user "$u" \
				--name "${demo_names[i % 10]}-$((i / 10 + 1))" --scope "$s" |
				if [ $((i % 4)) != 3 ]; then demo_use; else cat; fi
			i=$((i + 1))
		done
	done
	demo_issue 25 60 --project web/shop --name pipeline --role developer --scope write_repository | demo_use
	demo_issue 21 60 --project web/blog --name pipeline --role reporter --scope write_repository | demo_use
	demo_issue 120 364 --group infra --name provisioning --role owner --scope api
	demo_issue 14 40 --group research --name notebooks --role reporter --scope read_repository | demo_use
	demo_issue 9 300 --deploy demo/hello --name production --scope read_repository | demo_use
	demo_issue 9 90 --deploy web/shop --name kiosk --scope read_repository,write_repository
	demo_issue 4 360 --user alice --name automation --scope api,read_user | demo_use
	demo_ago 12 gltoken revoke 4 9 14 --reason 'laptop replaced'
	demo_ago 6 gltoken rotate 2 --overlap 30d
	demo_ago 2 gltoken rotate 7 --overlap 24h
	gltoken edit 5 --pause
	# Refused: never issued, and tried again and again.
	for i in 1 2 3; do echo "glpat-${i}0000000000000000000" | demo_use || true; done
	gltoken expire 11 --at now
}
