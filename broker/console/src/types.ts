// What the admin API answers, as broker/admin/openapi.json describes it.
// Limits: only the members that the console shows.

export interface Page<T> {
  total: number;
  items: T[];
  next?: string;
}

export interface Alarm {
  kind: 'memory' | 'disk' | 'store' | 'certificate' | 'draining';
  level: number;
  text: string;
}

export interface Listener {
  name: string;
  kind: 'tcp' | 'web_socket';
  url: string;
  tls: boolean;
  connections: number;
}

export interface Shard {
  index: number;
  connections: number;
  queues: number;
  topics: number;
  memory_bytes: number;
  answered_ms: number;
}

export interface Totals {
  published: number;
  delivered: number;
  acked: number;
  nacked: number;
  redelivered: number;
  expired: number;
  dead_lettered: number;
  dropped: number;
  unroutable: number;
  deduplicated: number;
}

export interface Overview {
  version: string;
  commit: string;
  node: string;
  state: 'starting' | 'serving' | 'draining';
  started: string;
  uptime_seconds: number;
  durability: string;
  connections: number;
  connections_unauthenticated: number;
  subscriptions: number;
  queues: number;
  topics: number;
  queue_messages: number;
  queue_unacked: number;
  totals: Totals;
  rates: { published: number; delivered: number; acked: number; received_bytes: number; sent_bytes: number };
  memory: { used_bytes: number; limit_bytes: number; alarm: number; resident_bytes: number };
  disk: { free_bytes: number; store_bytes: number; failed: boolean };
  alarms: Alarm[];
  listeners: Listener[];
  shards: Shard[];
}

/** One second; also the body of /topic/$SYS.stats. Rates are a second. */
export interface Sample {
  at: number;
  published: number;
  delivered: number;
  acked: number;
  received_bytes: number;
  sent_bytes: number;
  connections: number;
  queue_messages: number;
}

export interface Connection {
  id: string;
  shard: number;
  user: string;
  client_id: string;
  address: string;
  port: number;
  listener: string;
  transport: 'tcp' | 'web_socket';
  tls: boolean;
  version: string;
  state: 'handshake' | 'connecting' | 'connected' | 'closing';
  connected_at: string;
  heartbeat_send_ms: number;
  heartbeat_receive_ms: number;
  subscriptions: number;
  unacked: number;
  messages_in: number;
  messages_out: number;
  bytes_in: number;
  bytes_out: number;
  messages_in_rate: number;
  messages_out_rate: number;
  outbound_bytes: number;
  paused: 'no' | 'session' | 'memory' | 'rate';
  user_agent: string;
  voucher: string;
}

export interface ConnectionDetail extends Connection {
  subscription_list: Subscription[];
  last_errors: PastRefusal[];
  transactions_open: number;
}

/** What a connection of the same client ended by. */
export interface PastRefusal {
  at: string;
  reason: string;
  message: string;
  destination: string;
  connection: string;
}

export interface Subscription {
  connection: string;
  user: string;
  id: string;
  destination: string;
  ack: string;
  selector: string;
  durable: string;
  prefetch: number;
  delivered: number;
  unacked: number;
  outbound_bytes: number;
  dropped: number;
  lag: number;
}

export interface Destination {
  name: string;
  type: 'queue' | 'topic' | 'durable';
  shard: number;
  durable: boolean;
  policy: string;
  consumers: number;
  depth: number;
  bytes: number;
  unacked: number;
  memory_bytes: number;
  disk_bytes: number;
  oldest_age_ms: number;
  published: number;
  delivered: number;
  acked: number;
  published_rate: number;
  delivered_rate: number;
  dropped: number;
}

export interface DestinationDetail extends Destination {
  consumer_list: { connection: string; user: string; subscription: string; unacked: number }[];
  settings: Record<string, string>;
}

export interface QueueMessage {
  id: string;
  headers: [string, string][];
  body?: string;
  body_base64?: string;
  size: number;
  is_cut: boolean;
  redelivered: boolean;
  deliveries: number;
  age_ms: number;
  state: 'waiting' | 'unacked';
}

export interface Policy {
  name: string;
  match: string;
  origin: string;
  settings: Record<string, string>;
}

export type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error';

export interface LogLine {
  at: string;
  level: Level;
  event: string;
  message: string;
  fields: Record<string, string>;
}

export interface Scheduled {
  id: string;
  destination: string;
  due: number;
  period: number;
  repeats: number;
  size: number;
  durable: boolean;
}

export interface ConfigValue {
  key: string;
  value: string;
  origin: string;
}

export interface TraceEvent {
  at: string;
  direction: 'in' | 'out';
  command: string;
  headers: [string, string][];
  size: number;
  body?: string;
}

export interface Moved {
  messages: number;
  is_complete: boolean;
}
