#include "broker/admin/connection_json.hpp"

#include "broker/admin/destinations.hpp"
#include "broker/admin/rounded.hpp"
#include "broker/admin/time_text.hpp"

namespace admin {

namespace json = boost::json;

json::object to_json(const ConnectionView& view) {
    const transport::ConnectionFacts& facts = view.facts;
    return {
        {"id", facts.id},
        {"shard", view.shard},
        {"user", facts.user},
        {"client_id", facts.client_id},
        {"address", facts.address},
        {"port", facts.port},
        {"listener", facts.listener},
        {"transport", facts.is_web_socket ? "web_socket" : "tcp"},
        {"tls", facts.is_tls},
        {"version", facts.version},
        {"state", facts.state},
        {"connected_at", time_text(facts.accepted_at)},
        {"heartbeat_send_ms", facts.send_every_ms},
        {"heartbeat_receive_ms", facts.hear_every_ms},
        {"subscriptions", facts.subscriptions},
        {"unacked", facts.unacked},
        {"messages_in", facts.messages_in},
        {"messages_out", facts.messages_out},
        {"bytes_in", facts.octets_in},
        {"bytes_out", facts.octets_out},
        {"messages_in_rate", rounded(view.rates.in)},
        {"messages_out_rate", rounded(view.rates.out)},
        {"outbound_bytes", facts.pending},
        {"paused", facts.paused},
        {"user_agent", facts.user_agent},
        {"voucher", facts.voucher}};
}

json::object to_json(const transport::PastRefusal& refusal) {
    return {
        {"at", time_text(refusal.at)},
        {"reason", protocol::token(refusal.code)},
        {"message", as_utf8(refusal.message)},
        {"destination", as_utf8(refusal.destination)},
        {"connection", refusal.connection}};
}

}  // namespace admin
