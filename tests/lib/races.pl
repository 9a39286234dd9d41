#!/usr/bin/env perl
# SPDX-License-Identifier: MIT
#
# races.pl --uses N --rotations N: N times, of four logins at once with a token of one use one comes in; N times, of four
# who rotate a token at once, two administrators and two of its own sessions, one gets the next. For a private root in
# which gltoken is installed; tests/races makes one.
use strict;
use warnings;
use Getopt::Long;
use POSIX ();
use Time::HiRes qw(time);

my ($uses, $rotations) = (100, 100);
GetOptions('uses=i' => \$uses, 'rotations=i' => \$rotations) or die "usage: races.pl [--uses N] [--rotations N]\n";

my $helper = '/usr/libexec/gltoken/gltoken-auth';
my %count = map { $_ => 0 } ('one winner', 'no winner', 'several winners', 'lost', 'wrongly allowed');
my @wrong;

sub wrong {
	my ($what, $text) = @_;
	$count{$what}++;
	push @wrong, "$what: $text" if @wrong < 20;
	return;
}

# Programs that wait at one gate and start together, [standard input, argv...] each: what they print and how they end.
sub together {
	my @jobs = @_;
	pipe my $closed, my $gate or die "pipe: $!";
	my @running;
	for my $job (@jobs) {
		my ($stdin, @argv) = @$job;
		pipe my $in, my $to or die "pipe: $!";
		pipe my $from, my $out or die "pipe: $!";
		my $pid = fork // die "fork: $!";
		if (!$pid) {
			close $gate;
			close $to;
			open STDIN, '<&', $in or POSIX::_exit(126);
			open STDOUT, '>&', $out or POSIX::_exit(126);
			open STDERR, '>&', $out or POSIX::_exit(126);
			sysread $closed, my $byte, 1;
			exec @argv or die "$argv[0]: $!";
		}
		syswrite $to, $stdin;
		push @running, [$pid, $from];
	}
	close $closed;
	close $gate;
	return map {
		my ($pid, $from) = @$_;
		my $text = do { local $/ = undef; <$from> } // '';
		waitpid $pid, 0;
		{text => $text, status => $?}
	} @running;
}

sub request { return join "\n", @_, 'service=sshd', 'rhost=192.0.2.1', '', '' }

sub verify { return [request('verb=verify', "secret=$_[0]", 'account=git'), $helper] }

sub field {
	my ($reply, $key) = @_;
	return $reply->{text} =~ /^\Q$key\E=(.*)$/m ? $1 : undef;
}

sub one_of {
	my ($what, @won) = @_;
	return $count{'one winner'}++ if @won == 1;
	return wrong(@won ? 'several winners' : 'no winner', $what);
}

sub race_for_a_use {
	my ($secret) = @_;
	my @replies = together(map { verify($secret) } 1 .. 4);
	my @in = grep { (field($_, 'verdict') // '') eq 'allow' } @replies;
	one_of(join(' | ', map { field($_, 'reason') // $_->{text} } @replies), @in);
	return;
}

# The winner's secret, for the next race.
sub race_to_rotate {
	my ($secret) = @_;
	my ($session) = together(verify($secret));
	my ($id, $ticket) = (field($session, 'id'), field($session, 'ticket'));
	if (!$ticket) {
		wrong('lost', "the winner's token opens nothing: $session->{text}");
		return;
	}
	my $ours = [request('verb=change', "ticket=$ticket", 'action=rotate', 'target=self'), $helper];
	my $roots = ['', 'gltoken', 'rotate', $id];
	my @replies = together($ours, $roots, $ours, $roots);
	my @next = map { $_->{text} =~ /^(?:token=)?(glpat-\w{20})$/m && $_->{status} == 0 ? $1 : () } @replies;
	one_of(join(' | ', map { $_->{text} =~ s/glpat-\w+/(a token)/r } @replies), @next);
	my ($old) = together(verify($secret));
	wrong('wrongly allowed', "what was rotated: $old->{text}") if (field($old, 'verdict') // '') ne 'deny';
	return $next[0];
}

sub issued {
	my ($name, @options) = @_;
	my $file = "/root/races.$$";
	unlink $file;
	system('gltoken', 'issue', '--user', 'alice', '--name', $name, '--output', $file, @options) == 0 or die "gltoken issue\n";
	open my $f, '<', $file or die "$file: $!";
	my @secrets = map { /(glpat-\w{20})/ ? $1 : () } <$f>;
	close $f;
	unlink $file;
	return @secrets;
}

$| = 1;
my $began = time;
race_for_a_use($_) for $uses ? issued('use', '--scope', 'write_repository', '--max-uses', 1, '--count', $uses) : ();
my ($secret) = $rotations ? issued('turn', '--scope', 'write_repository,self_rotate', '--count', 1) : ();
for (1 .. $rotations) {
	$secret = race_to_rotate($secret) // last;
}
printf "%-16s %d of one use, %d rotations, four at once each, in %d s\n", 'races', $uses, $rotations, time - $began;
printf "%-16s %d\n", $_, $count{$_} for 'one winner', 'no winner', 'several winners', 'lost', 'wrongly allowed';
print "$_\n" for @wrong;
exit($count{'one winner'} == $uses + $rotations && !@wrong ? 0 : 1);
