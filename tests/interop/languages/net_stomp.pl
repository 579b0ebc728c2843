#!/usr/bin/perl
# Net::Stomp against the broker: net_stomp.pl VERSION, with STAMPEDE_TCP.
# Prints "ok TITLE" or "not ok TITLE: REASON" for each fact, and fails if one failed.
use strict;
use warnings;
use Net::Stomp;

$| = 1;
my $version = shift // '1.2';
my ($host, $port) = split /:/, $ENV{STAMPEDE_TCP};
my $patience = 15;

sub connected {
    my (%headers) = @_;
    my $stomp = Net::Stomp->new({ hostname => $host, port => $port, timeout => $patience });
    my $frame = $stomp->connect(
        { login => 'guest', passcode => 'guest', 'accept-version' => $version, host => $host, %headers });
    return ($stomp, $frame);
}

sub receive {
    my ($stomp) = @_;
    my $frame = $stomp->receive_frame({ timeout => $patience }) or die "nothing came\n";
    return $frame;
}

sub check {
    my ($condition, $found) = @_;
    die 'unexpected: ' . ($found // 'undef') . "\n" unless $condition;
}

sub subscribe {
    my ($stomp, $destination, %headers) = @_;
    $stomp->subscribe({ destination => $destination, id => $destination, receipt => 'sub', %headers });
    my $frame = receive($stomp);
    check($frame->command eq 'RECEIPT', $frame->command);
}

my @facts = (
    'P_VER_01 P_CONN_08 connects' => sub {
        my ($stomp, $frame) = connected();
        check($frame->headers->{version} eq $version, $frame->headers->{version});
        check(length $stomp->session_id == 32, $stomp->session_id);
        $stomp->disconnect;
    },
    'P_CONN_07 a wrong passcode is refused auth-failed' => sub {
        my (undef, $frame) = connected(passcode => 'wrong');
        check($frame->command eq 'ERROR', $frame->command);
        check($frame->headers->{message} eq 'auth-failed', $frame->headers->{message});
    },
    'P_FRAME_12 P_SUB_04 bodies arrive as sent, NUL among them' => sub {
        my ($stomp) = connected();
        subscribe($stomp, '/topic/bodies');
        for my $body ('hello', "a\0b", "\n", 'x' x 1024, 'y' x (1000 * 1024), join('', map { chr } 0 .. 255)) {
            $stomp->send({ destination => '/topic/bodies', body => $body, bytes_message => 1 });
            my $frame = receive($stomp);
            check($frame->body eq $body, length $frame->body);
        }
        $stomp->disconnect;
    },
    'P_FRAME_12 a body without content-length ends at NUL' => sub {
        my ($stomp) = connected();
        subscribe($stomp, '/topic/bare');
        $stomp->send({ destination => '/topic/bare', body => 'no length' });
        check(receive($stomp)->body eq 'no length');
        $stomp->disconnect;
    },
    'P_ACK_02 P_ACK_04 ACK by message-id alone settles what came before' => sub {
        my ($stomp) = connected();
        subscribe($stomp, '/queue/client', ack => 'client');
        $stomp->send({ destination => '/queue/client', body => $_ }) for qw(first second third);
        my @frames = map { receive($stomp) } 1 .. 3;
        $stomp->ack({ frame => $frames[1] });
        $stomp->disconnect;
        my ($heir) = connected();
        subscribe($heir, '/queue/client');
        my $left = receive($heir);
        check($left->body eq 'third', $left->body);
        check($left->headers->{redelivered} eq 'true');
        $heir->disconnect;
    },
    'P_RCPT_02 P_TX_04 send_with_receipt and send_transactional' => sub {
        my ($stomp) = connected();
        check($stomp->send_with_receipt({ destination => '/queue/safe', body => 'one' }));
        check($stomp->send_transactional({ destination => '/queue/safe', body => 'two' }));
        subscribe($stomp, '/queue/safe');
        check(receive($stomp)->body eq $_) for qw(one two);
        $stomp->disconnect;
    },
    'P_ACK_06 NACK brings the message again' => sub {
        my ($stomp) = connected();
        subscribe($stomp, '/queue/nack', ack => 'client-individual');
        $stomp->send({ destination => '/queue/nack', body => 'again' });
        $stomp->nack({ frame => receive($stomp) });
        my $again = receive($stomp);
        check($again->headers->{'x-delivery-count'} == 2, $again->headers->{'x-delivery-count'});
        $stomp->ack({ frame => $again });
        $stomp->disconnect;
    },
);

my $failures = 0;
while (my ($title, $fact) = splice @facts, 0, 2) {
    next if $version eq '1.0' && $title =~ /NACK/;
    if (eval { $fact->(); 1 }) { print "ok $title\n"; next }
    chomp(my $reason = $@);
    print "not ok $title: $reason\n";
    ++$failures;
}
exit($failures ? 1 : 0);
