#!/usr/bin/env perl
# SPDX-License-Identifier: MIT
#
# races.pl --at-once FILE --uses N --rotations N: N times, of four logins at once with a token of one use one comes in;
# N times, of four who rotate a token at once, two administrators and two of its own sessions, one gets the next. For a
# private root in which gltoken is installed; tests/races makes one. FILE is tests/lib/at-once.c, built.
use strict;
use warnings;
use Getopt::Long;
use IPC::Open2;
use JSON::PP;
use Time::HiRes qw(time);

my ($at_once, $uses, $rotations) = ('', 100, 100);
GetOptions('at-once=s' => \$at_once, 'uses=i' => \$uses, 'rotations=i' => \$rotations) && $at_once
	or die "usage: races.pl --at-once FILE [--uses N] [--rotations N]\n";

my $helper = '/usr/libexec/gltoken/gltoken-auth';
my @counted = ('one winner', 'no winner', 'several winners', 'lost', 'wrongly allowed');
my %count = map { $_ => 0 } @counted;
my (%won_by, @wrong);
my $races = 0;
my $starter = open2(my $replies, my $orders, $at_once);

sub wrong {
	my ($what, $text) = @_;
	$count{$what}++;
	push @wrong, "$what: $text" if @wrong < 20;
	return;
}

# Programs that start together, {argv, stdin, early, delay} each: what they print and how they end.
sub together {
	my @jobs = @_;
	print $orders scalar @jobs, "\n";
	for my $job (@jobs) {
		my @argv = @{$job->{argv}};
		printf $orders "%d %d %d %d\n", scalar @argv, length $job->{stdin}, $job->{early} // 0, $job->{delay} // 0;
		print $orders map({ "$_\0" } @argv), $job->{stdin};
	}
	$orders->flush;
	return map {
		my ($status, $len) = (<$replies> // '') =~ /^(\d+) (\d+)$/ or die "at-once has ended\n";
		read $replies, my ($text), $len;
		{text => $text, status => $status}
	} @jobs;
}

sub ask { return {argv => [$helper], stdin => join "\n", @_, 'service=sshd', 'rhost=192.0.2.1', '', ''} }

sub verify { return ask('verb=verify', "secret=$_[0]", 'account=git') }

sub field {
	my ($reply, $key) = @_;
	return $reply->{text} =~ /^\Q$key\E=(.*)$/m ? $1 : undef;
}

# In turn they all start at once, all wait with their privilege dropped for what to do, or two of each.
sub staggered {
	my @jobs = @_;
	my $how = $races % 3;
	for my $i (0 .. $#jobs) {
		$jobs[$i]{early} = $jobs[$i]{argv}[0] eq $helper && ($how == 1 || ($how == 2 && $i < 2)) ? 1 : 0;
	}
	return @jobs;
}

sub one_of {
	my ($who, $what, @won) = @_;
	$won_by{"$who $_"}++ for @won;
	return $count{'one winner'}++ if @won == 1;
	return wrong(@won ? 'several winners' : 'no winner', $what);
}

sub race_for_a_use {
	my ($secret) = @_;
	my @replies = together(staggered(map { verify($secret) } 1 .. 4));
	my @in = grep { (field($replies[$_], 'verdict') // '') eq 'allow' } 0 .. 3;
	one_of('use', join(' | ', map { field($_, 'reason') // $_->{text} } @replies), @in);
	return;
}

# The winner's secret and session, for the next race.
sub race_to_rotate {
	my ($secret, $session) = @_;
	my ($id, $ticket) = (field($session, 'id'), field($session, 'ticket'));
	my @jobs = map {
		# A session needs less time: without a delay it would win every time.
		my $session = ask('verb=change', "ticket=$ticket", 'action=rotate', 'target=self');
		$session->{delay} = int rand 4000;
		($session, {argv => ['gltoken', 'rotate', $id], stdin => ''})
	} 1 .. 2;
	my @replies = together($races % 8 ? @jobs : staggered(@jobs));
	my @next = map { $_->{text} =~ /^(?:token=)?(glpat-\w{20})$/m && $_->{status} == 0 ? $1 : undef } @replies;
	my @won = grep { defined $next[$_] } 0 .. 3;
	one_of('rotation', join(' | ', map { $_->{text} =~ s/glpat-\w+/(a token)/r } @replies), @won);
	return if !@won;
	(my $old, $session) = together(verify($secret), verify($next[$won[0]]));
	wrong('wrongly allowed', "what was rotated: $old->{text}") if (field($old, 'verdict') // '') ne 'deny';
	return ($next[$won[0]], $session) if field($session, 'ticket');
	wrong('lost', "the winner's token opens nothing: $session->{text}");
	return;
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

my $began = time;

sub progress {
	$races++;
	printf "%d of %d races, %d had one winner, %d s\n", $races, $uses + $rotations, $count{'one winner'}, time - $began
		if $races % 500 == 0;
	return;
}

# What the store says of all of them: as many uses and successors as winners, and of those that were rotated none lives.
sub stored {
	my %events;
	open my $f, '-|', qw(gltoken audit list --json --limit), 10 * ($uses + $rotations) + 1000 or die "gltoken: $!";
	$events{$_->{action}}++ for @{decode_json(do { local $/ = undef; <$f> })};
	close $f;
	open $f, '-|', qw(gltoken list --user alice --json --limit), $uses + $rotations + 10 or die "gltoken: $!";
	my @live = grep { $_->{active} } @{decode_json(do { local $/ = undef; <$f> })};
	close $f;
	my $most = $rotations ? 1 : 0;
	wrong('several winners', ($events{'token.use'} // 0) . ' uses are recorded') if ($events{'token.use'} // 0) != $uses;
	wrong('several winners', ($events{'token.rotate'} // 0) . ' rotations are recorded')
		if ($events{'token.rotate'} // 0) != $rotations;
	wrong('wrongly allowed', @live . " tokens are in force, not $most") if @live != $most;
	return;
}

$| = 1;
for my $secret ($uses ? issued('use', '--scope', 'write_repository', '--max-uses', 1, '--count', $uses) : ()) {
	race_for_a_use($secret);
	progress();
}
my ($secret) = $rotations ? issued('turn', '--scope', 'write_repository,self_rotate', '--count', 1) : ();
my ($session) = $secret ? together(verify($secret)) : ();
for (1 .. $rotations) {
	last if !$session;
	($secret, $session) = race_to_rotate($secret, $session);
	progress();
}
stored();
close $orders;
waitpid $starter, 0;
printf "%-16s %d of one use, %d rotations, four at once each, in %d s\n", 'races', $uses, $rotations, time - $began;
printf "%-16s %d\n", $_, $count{$_} for @counted;
printf "%-16s %s\n", 'won by', join ', ', map { "$_: $won_by{$_}" } sort keys %won_by;
print "$_\n" for @wrong;
exit($count{'one winner'} == $uses + $rotations && !@wrong ? 0 : 1);
