// A connection as the API shows it.
#pragma once

#include "broker/admin/rate_table.hpp"
#include "broker/transport/connection_facts.hpp"
#include "broker/transport/refusal_record.hpp"

#include <boost/json/object.hpp>

namespace admin {

struct ConnectionView {
    transport::ConnectionFacts facts;
    RateTable::Rates rates;
    unsigned shard = 0;
};

[[nodiscard]] boost::json::object to_json(const ConnectionView& view);
[[nodiscard]] boost::json::object to_json(const transport::PastRefusal& refusal);

}  // namespace admin
