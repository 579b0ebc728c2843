# Ruby's stomp gem against the broker: ruby_stomp.rb VERSION, with STAMPEDE_TCP.
# Prints "ok TITLE" or "not ok TITLE: REASON" for each fact, and fails if one failed.
require 'stomp'
require 'timeout'

$stdout.sync = true

PATIENCE = 15
EURO = 'Grüße, 世界, Ω'.freeze
VERSION = ARGV.fetch(0)
HOST, PORT = ENV.fetch('STAMPEDE_TCP').split(':')

# Tells of beats as they happen.
class BeatLogger < Stomp::NullLogger
  attr_reader :beats

  def initialize
    super
    @beats = Queue.new
  end

  def on_hbfire(_parameters, what, _details)
    @beats << what if %w[send_heartbeat receive_fire].include?(what)
  end
end

# One connection that ends with the block.
def session(options = {}, logger = nil)
  passcode = options.fetch('passcode', 'guest')
  headers = { 'accept-version' => VERSION, 'host' => HOST }.merge(options.reject { |name| name == 'passcode' })
  hosts = [{ login: 'guest', passcode: passcode, host: HOST, port: PORT.to_i }]
  connection = Stomp::Connection.new(hosts: hosts, reliable: false, connect_headers: headers, logger: logger)
  yield connection
ensure
  connection&.disconnect if connection&.open?
end

def next_frame(connection)
  Timeout.timeout(PATIENCE) { connection.receive }
end

def subscribe(connection, destination, headers = {})
  connection.subscribe(destination, { 'id' => destination, 'receipt' => "sub #{destination}" }.merge(headers))
  receipt = next_frame(connection)
  check receipt.command == 'RECEIPT' && receipt.headers['receipt-id'] == "sub #{destination}", receipt
end

def ack(connection, message, headers = {})
  settle(:ack, connection, message, headers)
end

def settle(how, connection, message, headers)
  id = message.headers[VERSION == '1.2' ? 'ack' : 'message-id']
  connection.send(how, id, { 'subscription' => message.headers['subscription'] }.merge(headers))
end

def check(condition, found = nil)
  raise "unexpected: #{found.inspect}" unless condition
end

FACTS = {
  'P_VER_01 P_CONN_08 connects' => lambda do
    session do |c|
      check c.protocol == VERSION, c.protocol
      check c.connection_frame.headers['session'].length == 32
    end
  end,
  'P_FRAME_12 P_SUB_04 bodies arrive as sent, NUL among them' => lambda do
    session do |c|
      subscribe(c, '/topic/bodies')
      ['hello', EURO, "a\0b", "\n", 'x' * 1024, 'y' * 1000 * 1024, (0..255).to_a.pack('C*')].each do |body|
        c.publish('/topic/bodies', body)
        message = next_frame(c)
        check message.body.b == body.b, message.body[0, 40]
      end
    end
  end,
  'P_FRAME_07 P_FRAME_17 headers arrive as sent, with the escapes of the version' => lambda do
    values = VERSION == '1.0' ? ['a:b', 'back\\slash'] : ['a:b', "two\nlines", 'back\\slash']
    values << "cr\rcr" if VERSION == '1.2'
    session do |c|
      subscribe(c, '/topic/headers')
      (values + [EURO]).each do |value|
        c.publish('/topic/headers', 'body', 'x-value' => value)
        found = next_frame(c).headers['x-value']
        check found.dup.force_encoding('UTF-8') == value, found
      end
    end
  end,
  'P_ACK_02 P_ACK_04 ack:client settles what came before' => lambda do
    session do |c|
      subscribe(c, '/queue/client', 'ack' => 'client')
      %w[first second third].each { |body| c.publish('/queue/client', body) }
      messages = Array.new(3) { next_frame(c) }
      ack(c, messages[1])
    end
    session do |c|
      subscribe(c, '/queue/client')
      message = next_frame(c)
      check message.body == 'third' && message.headers['redelivered'] == 'true', message
    end
  end,
  'P_ACK_08 a connection that leaves gives its deliveries back' => lambda do
    session do |c|
      subscribe(c, '/queue/back', 'ack' => 'client-individual')
      c.publish('/queue/back', 'survivor')
      next_frame(c)
    end
    session do |c|
      subscribe(c, '/queue/back')
      check next_frame(c).body == 'survivor'
    end
  end,
  'P_TX_02 P_TX_04 P_TX_05 COMMIT publishes, ABORT does not' => lambda do
    session do |c|
      subscribe(c, '/queue/tx')
      %w[abort commit].each do |how|
        c.begin(how)
        c.publish('/queue/tx', how, transaction: how)
        c.send(how, how)
      end
      check next_frame(c).body == 'commit'
    end
  end,
  'P_RCPT_05 DISCONNECT is answered by a receipt' => lambda do
    session do |c|
      c.disconnect(receipt: 'bye')
      check c.disconnect_receipt.headers['receipt-id'] == 'bye', c.disconnect_receipt
    end
  end,
  'P_CONN_07 a wrong passcode is refused auth-failed' => lambda do
    session('passcode' => 'wrong') do |c|
      check c.connection_frame.command == 'ERROR', c.connection_frame
      check c.connection_frame.headers['message'] == 'auth-failed', c.connection_frame
    end
  end
}.freeze

LATER_FACTS = {
  'P_ACK_06 NACK brings the message again' => lambda do
    session do |c|
      subscribe(c, '/queue/nack', 'ack' => 'client-individual')
      c.publish('/queue/nack', 'again')
      settle(:nack, c, next_frame(c), {})
      again = next_frame(c)
      check again.headers['x-delivery-count'] == '2', again
      ack(c, again)
    end
  end,
  'P_HB_02 P_HB_03 beats of 1000 both ways' => lambda do
    logger = BeatLogger.new
    session({ 'heart-beat' => '1000,1000' }, logger) do |c|
      Timeout.timeout(PATIENCE) { logger.beats.pop until c.hbrecv_count >= 3 && c.hbsend_count >= 3 }
      subscribe(c, '/topic/alive')
      c.publish('/topic/alive', 'still here')
      check next_frame(c).body == 'still here'
    end
  end
}.freeze

failures = 0
FACTS.merge(VERSION == '1.0' ? {} : LATER_FACTS).each do |title, fact|
  fact.call
  puts "ok #{title}"
rescue StandardError => e
  failures += 1
  puts "not ok #{title}: #{e.class} #{e.message}"
  warn e.full_message
end
exit!(failures.zero? ? 0 : 1)
