#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# A Git LFS server as a CGI, small enough to read: what [git] lfs_backend is run as in the tests. It believes what
# it is told about who may do what.
use strict;
use warnings;
use JSON::PP;

open my $log, '>>', '/tmp/lfs-cgi.log';
print $log join(' ', $ENV{REQUEST_METHOD}, $ENV{PATH_INFO}, $ENV{GLTOKEN_LFS_OPERATION}, $ENV{REMOTE_USER} // '-',
	'secret=' . (join('', %ENV) =~ /glpat-|GLTOKEN_SESSION|HTTP_AUTHORIZATION/ ? 'yes' : 'no')), "\n";
close $log;
binmode STDIN;
mkdir 'lfs';

sub answer {
	my ($status, $value) = @_;
	print "Status: $status\r\nContent-Type: application/vnd.git-lfs+json\r\n\r\n", encode_json($value);
	exit 0;
}

my ($rest) = $ENV{PATH_INFO} =~ m,/info/lfs/(.*),;
my $text = '';
if ($ENV{REQUEST_METHOD} eq 'POST') { read STDIN, $text, $ENV{CONTENT_LENGTH} // 0 }
if ($rest eq 'objects/batch') {
	my $batch = decode_json($text);
	my @objects;
	for my $o (@{$batch->{objects}}) {
		my $href = {href => "$ENV{GLTOKEN_LFS_URL}/objects/$o->{oid}"};
		my $there = -f "lfs/$o->{oid}";
		my %actions = $batch->{operation} eq 'upload'
			? ($there ? () : (upload => $href, verify => {href => "$ENV{GLTOKEN_LFS_URL}/verify"}))
			: ($there ? (download => $href) : ());
		push @objects, {oid => $o->{oid}, size => $o->{size}, %actions ? (actions => \%actions) : ()};
	}
	answer('200 OK', {transfer => 'basic', objects => \@objects});
} elsif ($rest eq 'verify') {
	my $o = decode_json($text);
	answer(-s "lfs/$o->{oid}" == $o->{size} ? ('200 OK', {}) : ('404 Not Found', {message => 'not here'}));
} elsif ($rest =~ m,^objects/([0-9a-f]{64})$,) {
	my $file = "lfs/$1";
	if ($ENV{REQUEST_METHOD} eq 'PUT') {
		open my $f, '>', "$file.new" or die;
		while (read STDIN, my $data, 65536) { print $f $data }
		close $f;
		rename "$file.new", $file;
		answer('200 OK', {});
	}
	open my $f, '<', $file or answer('404 Not Found', {message => 'not here'});
	print "Status: 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: ", -s $f, "\r\n\r\n";
	while (read $f, my $data, 65536) { print $data }
} elsif ($rest eq 'locks/verify') {
	answer('200 OK', {ours => [], theirs => []});
} elsif ($rest eq 'locks') {
	answer('200 OK', {locks => []});
} else {
	answer('404 Not Found', {message => 'no such request'});
}
