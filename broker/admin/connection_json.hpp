// A connection as the API shows it.
#pragma once

#include "broker/admin/rate_table.hpp"
#include "broker/transport/connection_facts.hpp"

#include <boost/json/object.hpp>

namespace admin {

struct ConnectionView {
    transport::ConnectionFacts facts;
    RateTable::Rates rates;
    unsigned shard = 0;
};

[[nodiscard]] boost::json::object to_json(const ConnectionView& view);

}  // namespace admin
