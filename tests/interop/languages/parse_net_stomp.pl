#!/usr/bin/perl
# Net::Stomp's own parser: base64 pieces from standard input, one a line, to frames in JSON.
# No connection is made: its buffer is filled by hand.
use strict;
use warnings;
use Encode qw(decode);
use JSON::PP;
use MIME::Base64;
use Net::Stomp;

my $stomp = bless { _framebuf => '' }, 'Net::Stomp';
my @found;
while (my $line = <STDIN>) {
    $stomp->{_framebuf} .= decode_base64($line);
    while ($stomp->_read_headers) {
        my $frame = $stomp->_read_body or last;
        my %headers = map { $_ => "$frame->{headers}{$_}" } keys %{ $frame->headers };
        push @found, { command => $frame->command, headers => \%headers, body => decode('UTF-8', $frame->body) };
    }
}
print JSON::PP->new->ascii->encode(\@found);
