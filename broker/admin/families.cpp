#include "broker/admin/families.hpp"

namespace admin {

void Families::begin(const char* name, const char* help, prometheus::MetricType type) {
    prometheus::MetricFamily& family = families_.emplace_back();
    family.name = name;
    family.help = help;
    family.type = type;
}

prometheus::ClientMetric& Families::add(Labels labels) {
    prometheus::ClientMetric& metric = families_.back().metric.emplace_back();
    for (const auto& [name, value] : labels) {
        metric.label.push_back({std::string(name), std::string(value)});
    }
    return metric;
}

void Families::value(double value, Labels labels) {
    prometheus::ClientMetric& metric = add(labels);
    if (families_.back().type == prometheus::MetricType::Counter) {
        metric.counter.value = value;
    } else {
        metric.gauge.value = value;
    }
}

}  // namespace admin
