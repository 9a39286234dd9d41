#!/usr/bin/env perl
# SPDX-License-Identifier: MIT
#
# torture.pl --seconds N [--kills N] [--seed S] --pam-login FILE: changes, logins, kills, a full disk, damaged files,
# floods and revocations at random together, beside a model of what was acknowledged. For a private root in which
# gltoken is installed and its state is on a small tmpfs; tests/torture makes one.
use strict;
use warnings;
use Getopt::Long;
use JSON::PP;
use Time::HiRes qw(time sleep);
use FindBin;
use lib $FindBin::Bin;
use Torture;

my ($seconds, $kills, $seed, $pam_login) = (30, 1e9, int(rand(1e6)));
GetOptions('seconds=f' => \$seconds, 'kills=i' => \$kills, 'seed=i' => \$seed, 'pam-login=s' => \$pam_login)
	or die "usage: torture.pl --seconds N [--kills N] [--seed S] --pam-login FILE\n";
srand $seed;

my $state = '/var/lib/gltoken';
my $helper = '/usr/libexec/gltoken/gltoken-auth';
my @users = qw(alice bob carol dave erin);
my (%count, @wrong);
my %token; # id => {text, user, state (live, paused, revoked), busy, version}
my %user = map { $_ => {name => $_, blocked => 0, member => '', busy => 0, version => 0} } @users;
my ($disk_full, $names) = (0, 0);
# How long a command takes here and now, in seconds: one that is killed dies at any of its moments, none the likelier.
my %takes = (import => 0.1, 'user sync' => 0.05);
$Torture::dir = "/tmp/torture.$$";
$Torture::n = 0;
mkdir $Torture::dir or die "$Torture::dir: $!";

sub wrong {
	my ($what, $text) = @_;
	$count{$what}++;
	push @wrong, "$what: $text" if @wrong < 20;
	return;
}

sub kind {
	my @argv = @_;
	return $argv[0] eq 'user' ? "$argv[0] $argv[1]" : $argv[0];
}

sub said {
	my ($job) = @_;
	return join(' ', @{$job->{argv}}) . ": exit $job->{exit}, signal $job->{signal}, $job->{out} $job->{err}";
}

# A command that nobody kills, now: its standard output.
sub now {
	my @argv = @_;
	my $job;
	Torture::start({argv => ['gltoken', @argv], done => sub { $job = $_[0] }});
	while (!$job) { Torture::look(); sleep 0.0005 }
	return $job;
}

sub json {
	my $job = now(@_);
	return $job->{exit} == 0 && !$job->{signal} ? decode_json($job->{out}) : undef;
}

# ---- changes ----

# One change of some things that nothing else changes meanwhile. Acknowledged, refused, or, killed, one of the two.
sub change {
	my ($argv, $things, $apply, $was_done) = @_;
	my $kind = kind(@$argv);
	$_->{busy} = 1, $_->{version}++ for @$things;
	# At any moment of it, or soon behind its first write.
	my $shoot = left() > 0 && rand() < 0.6;
	my %when = rand() < 0.5 ? (kill => rand(1.2 * ($takes{$kind} // 0.01)))
		: (kill => rand 0.002, kill_behind => "$state/store/store.mdb");
	Torture::start({argv => ['gltoken', @$argv], $shoot ? %when : (), done => sub {
		my ($job) = @_;
		$takes{$kind} = 0.7 * ($takes{$kind} // 0.01) + 0.3 * ($job->{ended} - $job->{began}) if !$job->{signal};
		wrong('hangs', said($job)) if $job->{hangs};
		if ($job->{exit} == 0 && !$job->{signal}) {
			$count{acknowledged}++;
			$apply->($job);
		} elsif ($job->{signal}) {
			wrong('crashed', said($job)) if !$job->{shot};
			my $done = $was_done->($job);
			$count{$done ? 'unknown, done' : 'unknown, not done'}++;
		} else {
			$count{refused}++;
			wrong('refused', said($job)) if !$disk_full || $job->{exit} != 3;
		}
		$_->{busy} = 0, $_->{version}++ for @$things;
	}});
	return;
}

sub add_token {
	my ($t, $text, $user) = @_;
	$token{$t->{id}} = {id => $t->{id}, text => $text, user => $user, state => 'live', busy => 0, version => 0};
	return;
}

# What the store says of a token, where a kill left it open.
sub settle {
	my ($t) = @_;
	my $got = json('show', $t->{id}, '--json');
	if (!$got) {
		wrong('lost', "token $t->{id} is gone");
		return 0;
	}
	my $before = $t->{state};
	$t->{state} = $got->{revoked} ? 'revoked' : $got->{paused} ? 'paused' : 'live';
	return $before ne $t->{state};
}

sub issue {
	my $user = $users[rand @users];
	return if $user{$user}{busy} || $user{$user}{blocked};
	my $name = 'n' . $names++;
	change(['issue', '--json', '--name', $name, '--user', $user, '--scope', 'write_repository'], [$user{$user}],
		sub { my $t = decode_json($_[0]{out}); add_token($t, $t->{token}, $user) },
		sub {
			# Its secret died with it, but half a token it may not be.
			my $all = json('list', '--user', $user, '--state', 'all', '--json') // [];
			my ($t) = grep { $_->{name} eq $name } @$all;
			add_token($t, undef, $user) if $t;
			return $t;
		});
	return;
}

sub rotate {
	my ($t) = @_;
	return if $t->{state} ne 'live' || $user{$t->{user}}{busy} || $user{$t->{user}}{blocked};
	change(['rotate', $t->{id}, '--json'], [$t, $user{$t->{user}}],
		sub { my $new = decode_json($_[0]{out}); $t->{state} = 'revoked'; add_token($new, $new->{token}, $t->{user}) },
		sub {
			return 0 if !settle($t);
			my $got = json('show', $t->{id}, '--json');
			my $next = $got->{next} ? json('show', $got->{next}, '--json') : undef;
			if ($next) { add_token($next, undef, $t->{user}) }
			else { wrong('half', "token $t->{id} is revoked, and its successor is not there") }
			return 1;
		});
	return;
}

sub revoke {
	my ($t) = @_;
	return if $t->{state} eq 'revoked';
	change(['revoke', $t->{id}], [$t], sub { $t->{state} = 'revoked' }, sub { settle($t) });
	return;
}

sub pause {
	my ($t) = @_;
	return if $t->{state} eq 'revoked';
	my $to = $t->{state} eq 'live' ? 'paused' : 'live';
	change(['edit', $t->{id}, $to eq 'paused' ? '--pause' : '--resume'], [$t], sub { $t->{state} = $to }, sub { settle($t) });
	return;
}

sub block {
	my ($u) = @_;
	my $to = !$u->{blocked};
	change(['user', $to ? 'block' : 'unblock', $u->{name}], [$u], sub { $u->{blocked} = $to }, sub { settle_user($u, $to) });
	return;
}

sub settle_user {
	my ($u, $to) = @_;
	my $all = json('user', 'list', '--json') // [];
	my ($got) = grep { $_->{username} eq $u->{name} } @$all;
	my $is = $got && $got->{state} eq 'blocked';
	$u->{blocked} = $is ? 1 : 0;
	return !$is == !$to;
}

# The job of the timer: whose accounts have expired are blocked, and let in again when they have not; all of them or
# none.
sub user_sync {
	Torture::wait_below(1);
	my @some = grep { !$_->{blocked} } values %user or return;
	for my $to (1, 0) {
		for my $u (@some) { system('usermod', '-e', $to ? 1 : '', $u->{name}) == 0 or die "usermod\n" }
		change(['user', 'sync'], \@some, sub { $_->{blocked} = $to for @some }, sub {
			my @done = grep { settle_user($_, $to) } @some;
			wrong('half', 'user sync: ' . join ' ', map { $_->{name} } @done) if @done && @done < @some;
			return @done > 0;
		});
		Torture::wait_below(1);
		# What the kill left to do, the next one does.
		wrong('refused', said($_)) for grep { $_->{exit} != 0 } now('user', 'sync');
		$_->{blocked} = $to for @some;
		compare_users();
		my %of = map { $_->{user} => $_ } grep { $_->{state} eq 'live' && defined $_->{text} } values %token;
		login($_) for values %of;
		Torture::wait_below(1);
	}
	$count{'user syncs'}++;
	return;
}

sub roles {
	my $all = json('member', 'list', 'demo/hello', '--json') // [];
	return { map { $_->{principal} => $_->{role} } grep { $_->{path} eq 'demo/hello' } @$all };
}

sub member {
	my ($u) = @_;
	my $to = $u->{member} ? '' : 'reporter';
	change(['member', $to ? 'set' : 'remove', 'demo/hello', $u->{name}, $to ? $to : ()], [$u], sub { $u->{member} = $to },
		sub {
			my $is = roles()->{$u->{name}} // '';
			my $done = $is eq $to;
			$u->{member} = $is;
			return $done;
		});
	return;
}

# Copies, which change nothing but what they write, and nothing there where they are killed.
sub copy {
	change(['backup', '/root/torture.backup'], [], sub { }, sub { 0 });
	return;
}

# Whatever is published, killed or not, everybody sees the account that was always there.
sub look_up {
	Torture::start({argv => ['getent', '-s', 'gltoken', 'passwd', 'lookup'], done => sub {
		my ($job) = @_;
		$count{'look-ups'}++;
		wrong('hangs', said($job)) if $job->{hangs};
		wrong('not found', said($job)) if $job->{exit} != 0 || $job->{signal} || $job->{out} !~ /^lookup:x:\d+:/;
	}});
	return;
}

sub publish {
	change(['publish'], [], sub { }, sub { look_up(); return 0 });
	$count{publishes}++;
	return;
}

# Tokens that are dead go, the others stay. Alone, for who changes one of them would find it gone.
sub reap {
	Torture::wait_below(1);
	$count{reaps}++;
	my $all = keys %token;
	change(['reap'], [], sub { }, sub { (@{json('list', '--state', 'all', '--json') // []}) < $all });
	Torture::wait_below(1);
	return;
}

# ---- logins ----

sub expected {
	my ($t, $pull) = @_;
	my $u = $user{$t->{user}};
	return $t->{state} eq 'live' && !$u->{blocked} && (!$pull || $u->{member} ne '');
}

# By PAM as sshd does, or by the helper for a repository.
sub login {
	my ($t) = @_;
	return if !defined $t->{text};
	my $pull = rand() < 0.4;
	my $u = $user{$t->{user}};
	my $want = expected($t, $pull);
	my ($tv, $uv) = ($t->{version}, $u->{version});
	my $argv = $pull ? [$helper] : [$pam_login, 'sshd-git', 'git'];
	my $stdin = $pull ? join("\n", 'verb=verify', "secret=$t->{text}", 'operation=pull', 'repository=demo/hello',
		'service=http', 'rhost=192.0.2.1', '', '') : "$t->{text}\n";
	Torture::start({argv => $argv, stdin => $stdin, done => sub {
		my ($job) = @_;
		my $got = $job->{exit} == 0 && !$job->{signal};
		$count{logins}++;
		$count{'logins allowed'}++ if $got;
		wrong('hangs', said($job)) if $job->{hangs};
		wrong('host crashes', said($job)) if $job->{signal} && !$job->{hangs} && !($pull && $job->{shot});
		# While something of it changed, either may be right.
		return if $tv != $t->{version} || $uv != $u->{version} || $t->{busy} || $u->{busy};
		wrong('wrongly allowed', "$t->{id} $t->{state}: " . said($job)) if $got && !$want;
		wrong('wrongly denied', "$t->{id} $t->{state}: " . said($job)) if !$got && $want && !$job->{shot};
	}});
	return;
}

sub free_token {
	my @free = grep { !$_->{busy} } values %token;
	return @free ? $free[rand @free] : undef;
}

sub free_user {
	my @free = grep { !$_->{busy} } values %user;
	return @free ? $free[rand @free] : undef;
}

sub left { return $kills - ($Torture::killed{programs} // 0) - ($Torture::killed{helpers} // 0) }

sub step {
	my $x = rand;
	my ($t, $u) = (free_token(), free_user());
	Torture::wait_below(6);
	return issue() if !$t || ($x < 0.22 && keys %token < 4000);
	return rotate($t) if $x < 0.29;
	return revoke($t) if $x < 0.33;
	return pause($t) if $x < 0.38;
	return member($u) if $x < 0.43 && $u;
	return block($u) if $x < 0.45 && $u;
	return copy() if $x < 0.46;
	return reap() if $x < 0.47;
	return publish() if $x < 0.49;
	return look_up() if $x < 0.52;
	# Most tokens are dead: ask for those that live as often.
	if ($t->{state} ne 'live' && rand() < 0.5) {
		($t) = grep { !$_->{busy} && $_->{state} eq 'live' && defined $_->{text} } values %token;
		return if !$t;
	}
	login($t);
	if (left() > 0 && rand() < 0.25) {
		sleep rand 0.004;
		Torture::kill_a_helper();
	}
	return;
}

# ---- what is wrong with the machine for a while ----

# Nothing is written any more, but who has a token comes in, and it can be taken away.
sub fill_disk {
	Torture::wait_below(1);
	system "dd if=/dev/zero of=$state/filler bs=64k 2>/dev/null; dd if=/dev/zero of=$state/filler2 bs=4k 2>/dev/null";
	$disk_full = 1;
	step() for 1 .. 40;
	Torture::wait_below(1);
	unlink "$state/filler", "$state/filler2";
	$disk_full = 0;
	$count{'full disks'}++;
	return;
}

# A damaged store may deny anybody and crash the helper: it lets nobody in whom it should not, and no host is harmed.
sub damage {
	Torture::wait_below(1);
	system "cp -a $state/store /root/torture.store";
	my $file = "$state/store/store.mdb";
	my $size = -s $file;
	my $how = int rand 3;
	if ($how == 0) {
		truncate $file, int rand $size;
	} else {
		open my $f, '+<', $file or die "$file: $!";
		for (1 .. ($how == 1 ? 1 : 64)) {
			seek $f, $how == 1 ? 4096 * int rand($size / 4096) : int rand $size, 0;
			print $f $how == 1 ? "\0" x 4096 : chr int rand 256;
		}
		close $f;
	}
	for (1 .. 8) {
		my $t = free_token() or last;
		my $want = expected($t, 0);
		next if !defined $t->{text};
		Torture::start({argv => [$pam_login, 'sshd-git', 'git'], stdin => "$t->{text}\n", done => sub {
			my ($job) = @_;
			wrong('hangs', said($job)) if $job->{hangs};
			wrong('host crashes', said($job)) if $job->{signal} && !$job->{hangs};
			wrong('wrongly allowed', 'damaged store: ' . said($job)) if $job->{exit} == 0 && !$job->{signal} && !$want;
		}});
		Torture::wait_below(3);
	}
	Torture::wait_below(1);
	system "rm -rf $state/store && cp -a /root/torture.store $state/store && rm -rf /root/torture.store";
	$count{'damaged files'}++;
	return;
}

# Strangers and members of the group ask at once, as many as 40; a login of root's goes on.
sub flood {
	Torture::wait_below(1);
	my $t = free_token() or return;
	for my $i (1 .. 40) {
		my $secret = $i % 2 && defined $t->{text} ? $t->{text} : 'glpat-abcdefghijklmnopqrst';
		Torture::start({argv => ['setpriv', '--reuid', 'git', '--regid', 'git', '--init-groups', $helper],
			stdin => "verb=verify\nsecret=$secret\naccount=git\nservice=sshd\n\n", done => sub {
				my ($job) = @_;
				my $good = expected($t, 0) && $secret eq ($t->{text} // '');
				wrong('hangs', said($job)) if $job->{hangs};
				wrong('wrongly allowed', 'flood: ' . said($job)) if $job->{exit} == 0 && !$job->{signal} && !$good;
			}});
	}
	my $began = time;
	login($t);
	Torture::wait_below(1);
	wrong('hangs', 'a flood held a login up') if time - $began > 25;
	$count{floods}++;
	return;
}

# Of many at once for the last use, one comes in.
sub race {
	Torture::wait_below(1);
	my ($u) = grep { !$_->{blocked} } values %user or return;
	my $text = now('issue', '--name', 'n' . $names++, '--user', $u->{name}, '--scope', 'write_repository', '--max-uses', 1)->{out};
	my $in = 0;
	for (1 .. 5) {
		Torture::start({argv => [$pam_login, 'sshd-git', 'git'], stdin => $text, done => sub {
			$in++ if $_[0]{exit} == 0 && !$_[0]{signal};
		}});
	}
	Torture::wait_below(1);
	# The account phase asks again, when the winner's use is taken: it comes in all the same.
	wrong($in > 1 ? 'wrongly allowed' : 'wrongly denied', "$in of 5 took the only use") if $in != 1;
	$count{races}++;
	return;
}

# On another host: all of it or nothing, and then as it was here.
sub import_elsewhere {
	Torture::wait_below(1);
	my $file = "$Torture::dir/export";
	my $export = now('export')->{out};
	open my $f, '>', $file or die "$file: $!";
	print $f $export;
	close $f or die "$file: $!";
	system "mv $state/store /root/torture.store";
	for (1 .. 4) {
		system "rm -rf $state/store && cp -a /root/torture.empty $state/store";
		my $nothing = now('export')->{out};
		my $acknowledged;
		change(['import', $file], [], sub { $acknowledged = 1 }, sub { now('export')->{out} ne $nothing });
		Torture::wait_below(1);
		my $is = now('export')->{out};
		wrong('lost', 'an import') if $acknowledged && $is ne $export;
		wrong('half', 'an import: ' . ($is =~ tr/\n//) . ' lines of ' . ($export =~ tr/\n//))
			if $is ne $nothing && $is ne $export;
		$count{imports}++;
	}
	my $again = now('import', $file);
	wrong('refused', said($again)) if $again->{exit} != 0 && now('export')->{out} ne $export;
	compare();
	my @live = grep { $_->{state} eq 'live' && defined $_->{text} } values %token;
	login($_) for splice @live, 0, 5;
	Torture::wait_below(1);
	system "rm -rf $state/store && mv /root/torture.store $state/store";
	return;
}

# ---- is all there that was acknowledged, and nothing half? ----

sub compare_users {
	my %is = map { $_->{username} => $_->{state} } @{json('user', 'list', '--json') // []};
	for my $u (values %user) {
		my ($is, $was) = ($is{$u->{name}} // 'active', $u->{blocked} ? 'blocked' : 'active');
		wrong('lost', "$u->{name} is $is, and was acknowledged as $was") if $is ne $was;
	}
	return;
}

sub compare {
	Torture::wait_below(1);
	my $check = now('check');
	wrong('damaged', said($check)) if $check->{exit} != 0 || $check->{signal};
	my $chain = now('audit', 'verify');
	wrong('damaged', said($chain)) if $chain->{exit} != 0 || $chain->{signal};
	my %is = map { $_->{id} => $_ } @{json('list', '--state', 'all', '--json') // []};
	for my $t (values %token) {
		my $got = $is{$t->{id}};
		if (!$got) {
			wrong('lost', "token $t->{id}") if $t->{state} ne 'revoked' || !$count{reaps};
			next;
		}
		my $now = $got->{revoked} ? 'revoked' : $got->{paused} ? 'paused' : 'live';
		wrong('lost', "token $t->{id} is $now, and was acknowledged as $t->{state}") if $now ne $t->{state};
	}
	my $roles = roles();
	for my $u (values %user) {
		wrong('lost', "$u->{name} is '" . ($roles->{$u->{name}} // '') . "', and was acknowledged as '$u->{member}'")
			if ($roles->{$u->{name}} // '') ne $u->{member};
	}
	compare_users();
	# One that was killed may leave its attempt, and the next one takes it away.
	my $publish = now('publish');
	wrong('refused', said($publish)) if $publish->{exit} != 0;
	wrong('half', "left over: $_") for glob "$state/public/*.new $state/*.new";
	$count{comparisons}++;
	return;
}

# Beside all of it: somebody sees that the published file is there at every moment.
my $watcher = fork // die "fork: $!";
if (!$watcher) {
	my $missing = 0;
	local $SIG{TERM} = sub { exit($missing ? 1 : 0) };
	while (getppid() != 1) {
		$missing++ if !-s "$state/public/nss.cdb";
		sleep 0.0003;
	}
	exit 1;
}

my $began = time;
my $rounds = 0;
while (time - $began < $seconds && ($kills == 1e9 || left() > 0) && !@wrong) {
	step() for 1 .. 100;
	compare();
	my $what = $rounds++ % 7;
	if ($what == 0) { flood() }
	elsif ($what == 1) { fill_disk() }
	elsif ($what == 2) { damage() }
	elsif ($what == 3) { race() }
	elsif ($what == 4) { import_elsewhere() }
	elsif ($what == 5) { user_sync() }
}
compare();
kill TERM => $watcher;
waitpid $watcher, 0;
wrong('not found', "the file that is published was away for a moment ($?)") if $? != 0;
system "rm -rf $Torture::dir";

my %killed = (programs => 0, helpers => 0, %Torture::killed);
printf "seed %d, %d s\n", $seed, time - $began;
printf "%-24s %d\n", $_, $count{$_} // 0 for 'acknowledged', 'unknown, done', 'unknown, not done',
	'logins', 'logins allowed', 'comparisons', 'full disks', 'damaged files', 'floods', 'races', 'reaps',
	'publishes', 'look-ups', 'user syncs', 'imports';
printf "%-24s %d (%d programs, %d helpers)\n", 'kills', $killed{programs} + $killed{helpers}, @killed{qw(programs helpers)};
printf "%-24s %d\n", $_, $count{$_} // 0 for 'lost', 'half', 'damaged', 'wrongly allowed', 'wrongly denied', 'not found', 'refused',
	'host crashes', 'crashed', 'hangs';
print "$_\n" for @wrong;
exit(@wrong ? 1 : 0);
