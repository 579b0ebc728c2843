// A Spring Boot application as its users write them: browsers connect to it, and its broker relay to the broker.
// Several instances share one broker. Prints "port N", then "broker up" and "broker down" as the relay sees it.

package interop;

import java.security.Principal;
import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.web.servlet.context.ServletWebServerInitializedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.http.server.ServerHttpRequest;
import org.springframework.messaging.handler.annotation.DestinationVariable;
import org.springframework.messaging.handler.annotation.MessageMapping;
import org.springframework.messaging.handler.annotation.Payload;
import org.springframework.messaging.simp.SimpMessagingTemplate;
import org.springframework.messaging.simp.broker.BrokerAvailabilityEvent;
import org.springframework.messaging.simp.config.MessageBrokerRegistry;
import org.springframework.stereotype.Controller;
import org.springframework.web.socket.WebSocketHandler;
import org.springframework.web.socket.config.annotation.EnableWebSocketMessageBroker;
import org.springframework.web.socket.config.annotation.StompEndpointRegistry;
import org.springframework.web.socket.config.annotation.WebSocketMessageBrokerConfigurer;
import org.springframework.web.socket.server.support.DefaultHandshakeHandler;

@SpringBootApplication
@EnableWebSocketMessageBroker
public class App implements WebSocketMessageBrokerConfigurer {
    public static void main(String[] arguments) {
        SpringApplication.run(App.class, arguments);
    }

    @Override
    public void registerStompEndpoints(StompEndpointRegistry registry) {
        registry.addEndpoint("/ws").setHandshakeHandler(new ByName());
    }

    @Override
    public void configureMessageBroker(MessageBrokerRegistry registry) {
        String[] broker = System.getenv("STAMPEDE_TCP").split(":");
        registry.setApplicationDestinationPrefixes("/app");
        registry.enableStompBrokerRelay("/topic/", "/queue/")
            .setRelayHost(broker[0])
            .setRelayPort(Integer.parseInt(broker[1]))
            .setUserDestinationBroadcast("/topic/unresolved-user-destination")
            .setUserRegistryBroadcast("/topic/simp-user-registry");
    }

    @EventListener
    public void onServer(ServletWebServerInitializedEvent event) {
        System.out.println("port " + event.getWebServer().getPort());
    }

    @EventListener
    public void onBroker(BrokerAvailabilityEvent event) {
        System.out.println(event.isBrokerAvailable() ? "broker up" : "broker down");
    }

    /** Whoever connects to /ws?anna is anna. */
    private static final class ByName extends DefaultHandshakeHandler {
        @Override
        protected Principal determineUser(ServerHttpRequest request, WebSocketHandler handler, Map<String, Object> more) {
            String name = request.getURI().getQuery();
            return () -> name;
        }
    }

    @Controller
    public static class Mail {
        private final SimpMessagingTemplate template;

        Mail(SimpMessagingTemplate template) {
            this.template = template;
        }

        @MessageMapping("/mail/{name}")
        void mail(@DestinationVariable String name, @Payload String text, Principal from) {
            template.convertAndSendToUser(name, "/queue/mail", from.getName() + ": " + text);
        }
    }
}
