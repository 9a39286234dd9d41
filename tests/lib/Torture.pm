# SPDX-License-Identifier: MIT
#
# Processes of the torture test: started many at a time, each with its own end, some of them killed at a random moment.
package Torture;

use strict;
use warnings;
use POSIX qw(WNOHANG);
use Time::HiRes qw(time sleep);

our (%jobs, $dir, $n, %killed);

# What stands in a file that a job wrote.
sub text {
	my ($file) = @_;
	open my $f, '<', $file or return '';
	local $/ = undef;
	return scalar(<$f>) // '';
}

# What of a file changes where it is written.
sub stamp {
	my ($file) = @_;
	return join ' ', map { $_ // '' } (Time::HiRes::stat($file))[1, 7, 9];
}

# Start a program: {argv, stdin, kill (seconds from now, or undef; with kill_behind FILE, from when that is first written),
# done (called with the job)}.
sub start {
	my ($job) = @_;
	my $base = "$dir/job." . $n++;
	if (defined $job->{stdin}) {
		open my $f, '>', "$base.in" or die "$base: $!";
		print $f $job->{stdin};
		close $f;
	}
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		open STDIN, '<', defined $job->{stdin} ? "$base.in" : '/dev/null' or POSIX::_exit(126);
		open STDOUT, '>', "$base.out" or POSIX::_exit(126);
		open STDERR, '>', "$base.err" or POSIX::_exit(126);
		exec @{$job->{argv}} or POSIX::_exit(127);
	}
	@$job{qw(pid base began)} = ($pid, $base, time);
	$job->{stamp} = stamp($job->{kill_behind}) if $job->{kill_behind};
	$job->{kill_at} = time + $job->{kill} if defined $job->{kill} && !$job->{stamp};
	$jobs{$pid} = $job;
	return $job;
}

sub finish {
	my ($job, $status) = @_;
	delete $jobs{$job->{pid}};
	@$job{qw(status signal exit ended)} = ($status, $status & 127, $status >> 8, time);
	@$job{qw(out err)} = (text("$job->{base}.out"), text("$job->{base}.err"));
	unlink map { "$job->{base}.$_" } qw(in out err);
	$job->{done}->($job);
	return;
}

# See who has ended, and kill whose time has come.
sub look {
	while ((my $pid = waitpid -1, WNOHANG) > 0) {
		finish($jobs{$pid}, $?) if $jobs{$pid};
	}
	for my $job (values %jobs) {
		if ($job->{stamp} && stamp($job->{kill_behind}) ne $job->{stamp}) {
			delete $job->{stamp};
			$job->{kill_at} = time + $job->{kill};
		}
		next if !$job->{kill_at} || $job->{kill_at} > time;
		delete $job->{kill_at};
		$job->{shot} = 1;
		$killed{programs}++ if kill KILL => $job->{pid};
	}
	return;
}

# Wait until fewer than so many run. A job that runs for over 30 s hangs.
sub wait_below {
	my ($most) = @_;
	while (look(), keys %jobs >= $most) {
		for my $job (values %jobs) {
			next if time - $job->{began} < 30;
			$job->{hangs} = 1;
			kill KILL => $job->{pid};
		}
		sleep 0.0005;
	}
	return;
}

# A gltoken-auth that runs now, if there is one, is killed, and whoever asked it is told.
sub kill_a_helper {
	opendir my $proc, '/proc' or return;
	for my $pid (grep { /^\d+$/ } readdir $proc) {
		my $stat = text("/proc/$pid/stat");
		next if $stat !~ /^\d+ \(gltoken-auth\) \S+ (\d+)/;
		my $parent = $1;
		next if !kill KILL => $pid;
		$killed{helpers}++;
		for my $asked (grep { $jobs{$_} } $pid, $parent) { $jobs{$asked}{shot} = 1 }
		return;
	}
	return;
}

1;
