// Spring against the broker: its STOMP clients over WebSocket and TCP, and its broker relay, without a server.
// Prints "ok TITLE" or "not ok TITLE: REASON" for each fact; addresses in STAMPEDE_WS and STAMPEDE_TCP.

import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.springframework.messaging.Message;
import org.springframework.messaging.MessageDeliveryException;
import org.springframework.messaging.simp.stomp.ReactorNettyTcpStompClient;
import org.springframework.messaging.simp.stomp.StompBrokerRelayMessageHandler;
import org.springframework.messaging.simp.stomp.StompCommand;
import org.springframework.messaging.simp.stomp.StompFrameHandler;
import org.springframework.messaging.simp.stomp.StompHeaderAccessor;
import org.springframework.messaging.simp.stomp.StompHeaders;
import org.springframework.messaging.simp.stomp.StompSession;
import org.springframework.messaging.simp.stomp.StompSessionHandlerAdapter;
import org.springframework.messaging.support.ExecutorSubscribableChannel;
import org.springframework.messaging.support.MessageBuilder;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;
import org.springframework.util.MimeType;
import org.springframework.web.socket.WebSocketHttpHeaders;
import org.springframework.web.socket.client.standard.StandardWebSocketClient;
import org.springframework.web.socket.messaging.WebSocketStompClient;

public final class Interop {
    private static final long PATIENCE = 15;
    private static final ThreadPoolTaskScheduler SCHEDULER = new ThreadPoolTaskScheduler();

    private interface Fact {
        void prove() throws Exception;
    }

    private interface Connector {
        CompletableFuture<StompSession> connect(StompHeaders headers, Adapter adapter);
    }

    private static final class Adapter extends StompSessionHandlerAdapter {
        final BlockingQueue<StompHeaders> errors = new LinkedBlockingQueue<>();

        @Override
        public Type getPayloadType(StompHeaders headers) {
            return byte[].class;
        }

        @Override
        public void handleFrame(StompHeaders headers, Object payload) {
            errors.add(headers);
        }
    }

    private record Received(StompHeaders headers, byte[] body) {}

    private static final class Inbox implements StompFrameHandler {
        private final BlockingQueue<Received> received = new LinkedBlockingQueue<>();

        @Override
        public Type getPayloadType(StompHeaders headers) {
            return byte[].class;
        }

        @Override
        public void handleFrame(StompHeaders headers, Object payload) {
            received.add(new Received(headers, payload == null ? new byte[0] : (byte[]) payload));
        }

        Received next() throws InterruptedException {
            Received next = received.poll(PATIENCE, TimeUnit.SECONDS);
            check(next != null, "no message came");
            return next;
        }
    }

    private static int failures = 0;

    private static void fact(String title, Fact fact) {
        try {
            fact.prove();
            System.out.println("ok " + title);
        } catch (Exception | AssertionError error) {
            ++failures;
            System.out.println("not ok " + title + ": " + error.toString().replace('\n', ' '));
            error.printStackTrace();
        }
    }

    private static void check(boolean condition, Object found) {
        if (!condition) { throw new AssertionError(String.valueOf(found)); }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static StompHeaders guest() {
        StompHeaders headers = new StompHeaders();
        headers.setLogin("guest");
        headers.setPasscode("guest");
        return headers;
    }

    private static StompSession open(Connector connector) throws Exception {
        return connector.connect(guest(), new Adapter()).get(PATIENCE, TimeUnit.SECONDS);
    }

    private static void awaitReceipt(StompSession.Receiptable receiptable) throws Exception {
        CompletableFuture<Void> done = new CompletableFuture<>();
        receiptable.addReceiptTask(() -> done.complete(null));
        receiptable.addReceiptLostTask(() -> done.completeExceptionally(new AssertionError("receipt lost")));
        done.get(PATIENCE, TimeUnit.SECONDS);
    }

    private static StompHeaders to(String destination) {
        StompHeaders headers = new StompHeaders();
        headers.setDestination(destination);
        return headers;
    }

    private static StompSession.Subscription subscribe(StompSession session, StompHeaders headers, Inbox inbox)
            throws Exception {
        session.setAutoReceipt(true);
        StompSession.Subscription subscription = session.subscribe(headers, inbox);
        awaitReceipt(subscription);
        return subscription;
    }

    private static void clientFacts(String name, Connector connector) {
        fact("Spring over " + name + ": P_CONN_08 P_SUB_04 P_RCPT_02 a conversation with receipts", () -> {
            StompSession session = open(connector);
            Inbox inbox = new Inbox();
            subscribe(session, to("/topic/spring"), inbox);
            for (String body : List.of("hello", "", "Grüße, 世界", "x".repeat(50_000), "two\nlines", "a\0b")) {
                awaitReceipt(session.send(to("/topic/spring"), bytes(body)));
                check(Arrays.equals(inbox.next().body(), bytes(body)), body.length());
            }
            session.disconnect();
        });
        fact("Spring over " + name + ": P_FRAME_17 headers arrive as sent", () -> {
            StompSession session = open(connector);
            Inbox inbox = new Inbox();
            subscribe(session, to("/topic/headers"), inbox);
            for (String value : List.of("a:b", "back\\slash", "two\nlines", "cr\rcr", "Ω")) {
                StompHeaders headers = to("/topic/headers");
                headers.set("x-value", value);
                headers.setContentType(new MimeType("application", "json"));
                session.send(headers, bytes("{}"));
                Received received = inbox.next();
                check(value.equals(received.headers().getFirst("x-value")), received.headers());
                check("application/json".equals(received.headers().getFirst("content-type")), received.headers());
            }
            session.disconnect();
        });
        fact("Spring over " + name + ": P_ACK_02 P_ACK_08 acknowledges, and what is not comes again", () -> {
            StompSession session = open(connector);
            Inbox inbox = new Inbox();
            StompHeaders queue = to("/queue/spring-" + name);
            queue.setAck("client-individual");
            subscribe(session, queue, inbox);
            session.send(queue.getDestination(), bytes("first"));
            session.send(queue.getDestination(), bytes("second"));
            Received first = inbox.next();
            inbox.next();
            awaitReceipt(session.acknowledge(first.headers().getFirst("ack"), true));
            session.disconnect();
            StompSession heir = open(connector);
            Inbox left = new Inbox();
            subscribe(heir, to(queue.getDestination()), left);
            Received again = left.next();
            check("second".equals(new String(again.body())), new String(again.body()));
            check("true".equals(again.headers().getFirst("redelivered")), again.headers());
            heir.disconnect();
        });
        fact("Spring over " + name + ": P_ERR_03 the ERROR arrives", () -> {
            Adapter adapter = new Adapter();
            StompSession session = connector.connect(guest(), adapter).get(PATIENCE, TimeUnit.SECONDS);
            try {
                session.send("/queue/*", bytes("x"));
            } catch (MessageDeliveryException closed) {
                // ERROR and close came before the client knew that it had written.
            }
            StompHeaders error = adapter.errors.poll(PATIENCE, TimeUnit.SECONDS);
            check(error != null && "bad-destination".equals(error.getFirst("message")), error);
        });
    }

    /** Spring's relay with three channels: what browsers send, what they get, what the application sends. */
    private static final class Relay implements AutoCloseable {
        private final ExecutorSubscribableChannel fromBrowsers = new ExecutorSubscribableChannel();
        private final ExecutorSubscribableChannel toBrowsers = new ExecutorSubscribableChannel();
        private final ExecutorSubscribableChannel application = new ExecutorSubscribableChannel();
        private final BlockingQueue<Message<?>> sent = new LinkedBlockingQueue<>();
        private final StompBrokerRelayMessageHandler relay;

        Relay(String host, int port) throws Exception {
            relay = new StompBrokerRelayMessageHandler(
                fromBrowsers, toBrowsers, application, List.of("/topic/", "/queue/"));
            relay.setRelayHost(host);
            relay.setRelayPort(port);
            relay.setTaskScheduler(SCHEDULER);
            toBrowsers.subscribe(sent::add);
            CompletableFuture<Void> available = new CompletableFuture<>();
            relay.setApplicationEventPublisher(event -> available.complete(null));
            relay.start();
            available.get(PATIENCE, TimeUnit.SECONDS);
        }

        void browser(String session, StompCommand command, String body, String... headers) {
            StompHeaderAccessor accessor = StompHeaderAccessor.create(command);
            accessor.setSessionId(session);
            accessor.setLeaveMutable(true);
            for (int i = 0; i < headers.length; i += 2) { accessor.setNativeHeader(headers[i], headers[i + 1]); }
            if (accessor.getFirstNativeHeader("destination") != null) {
                accessor.setDestination(accessor.getFirstNativeHeader("destination"));
            }
            if (command == StompCommand.CONNECT) { accessor.setHeartbeat(10_000, 10_000); }
            if (accessor.getFirstNativeHeader("id") != null) {
                accessor.setSubscriptionId(accessor.getFirstNativeHeader("id"));
            }
            fromBrowsers.send(MessageBuilder.createMessage(bytes(body), accessor.getMessageHeaders()));
        }

        void connect(String session) throws InterruptedException {
            browser(session, StompCommand.CONNECT, "", "accept-version", "1.2,1.1,1.0");
            String version = next(it -> it.getFirstNativeHeader("version") != null).getFirstNativeHeader("version");
            check("1.2".equals(version), version);
        }

        StompHeaderAccessor next(Predicate<StompHeaderAccessor> wanted) throws InterruptedException {
            for (;;) {
                Message<?> message = sent.poll(PATIENCE, TimeUnit.SECONDS);
                check(message != null, "nothing came from the relay");
                StompHeaderAccessor accessor = StompHeaderAccessor.wrap(message);
                if (wanted.test(accessor)) { return accessor; }
            }
        }

        StompHeaderAccessor next(String session, StompCommand command) throws InterruptedException {
            return next(it -> session.equals(it.getSessionId()) && it.getCommand() == command);
        }

        @Override
        public void close() {
            relay.stop();
        }
    }

    private static void relayFacts(String host, int port) {
        fact("Spring's relay: P_CONN_08 P_DEST_01 P_SUB_05 P_RCPT_06 two browsers behind it", () -> {
            try (Relay relay = new Relay(host, port)) {
                for (String session : List.of("one", "two")) {
                    relay.connect(session);
                    relay.browser(session, StompCommand.UNSUBSCRIBE, "", "id", "never-subscribed");
                    relay.browser(session, StompCommand.SUBSCRIBE, "", "id", "sub-0", "destination", "/topic/news",
                        "receipt", "r-" + session);
                    relay.next(session, StompCommand.RECEIPT);
                }
                relay.browser("one", StompCommand.SEND, "to all", "destination", "/topic/news");
                Set<String> reached = new HashSet<>();
                while (reached.size() < 2) {  // In whatever order: each has a connection of its own.
                    StompHeaderAccessor message = relay.next(it -> it.getCommand() == StompCommand.MESSAGE);
                    check("sub-0".equals(message.getSubscriptionId()), "subscription");
                    reached.add(message.getSessionId());
                }
                relay.browser("two", StompCommand.DISCONNECT, "", "receipt", "bye");
                relay.next("two", StompCommand.RECEIPT);
            }
        });
        fact("Spring's relay: P_ERR_03 the broker's ERROR reaches the browser", () -> {
            try (Relay relay = new Relay(host, port)) {
                relay.connect("bad");
                relay.browser("bad", StompCommand.SEND, "", "destination", "/queue/*");
                check("bad-destination".equals(relay.next("bad", StompCommand.ERROR).getMessage()), "message");
            }
        });
    }

    public static void main(String[] arguments) {
        SCHEDULER.setDaemon(true);
        SCHEDULER.initialize();
        String ws = System.getenv("STAMPEDE_WS");
        String[] tcp = System.getenv("STAMPEDE_TCP").split(":");
        WebSocketStompClient web = new WebSocketStompClient(new StandardWebSocketClient());
        web.setTaskScheduler(SCHEDULER);
        web.setInboundMessageSizeLimit(1 << 20);
        clientFacts("WebSocket", (headers, adapter) -> web.connectAsync(ws, new WebSocketHttpHeaders(), headers, adapter));
        ReactorNettyTcpStompClient plain = new ReactorNettyTcpStompClient(tcp[0], Integer.parseInt(tcp[1]));
        plain.setTaskScheduler(SCHEDULER);
        clientFacts("TCP", plain::connectAsync);
        relayFacts(tcp[0], Integer.parseInt(tcp[1]));
        System.exit(failures == 0 ? 0 : 1);
    }
}
