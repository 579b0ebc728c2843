// Metric families while they are gathered: name, help, and one value for each set of labels.
// Labels come from fixed sets or from the configuration, never from a client (S-SEC-04).
#pragma once

#include "broker/engine/histogram.hpp"

#include <cstdint>
#include <initializer_list>
#include <prometheus/metric_family.h>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace admin {

using Label = std::pair<std::string_view, std::string_view>;
using Labels = std::initializer_list<Label>;

class Families {
public:
    /// The family that what follows belongs to.
    void counter(const char* name, const char* help) {
        begin(name, help, prometheus::MetricType::Counter);
    }

    void gauge(const char* name, const char* help) {
        begin(name, help, prometheus::MetricType::Gauge);
    }

    /// Its values are histograms.
    void histogram(const char* name, const char* help) {
        begin(name, help, prometheus::MetricType::Histogram);
    }

    void value(double value, Labels labels = {});

    template <class Number>
    void value(Number number, Labels labels = {}) {
        value(static_cast<double>(number), labels);
    }

    /// `parts`: how many of what is counted make one of the metric; 1e6 for microseconds. Divided
    /// by, since 100,000 / 1e6 is 0.1, and 100,000 * 1e-6 is not.
    template <const auto& bounds>
    void value(const engine::Histogram<bounds>& histogram, double parts, Labels labels = {}) {
        prometheus::ClientMetric& metric = add(labels);
        std::uint64_t count = 0;
        for (std::size_t i = 0; i < bounds.size(); ++i) {
            count += histogram.counts()[i];
            metric.histogram.bucket.push_back({count, static_cast<double>(bounds[i]) / parts});
        }
        metric.histogram.sample_count = count + histogram.counts().back();
        metric.histogram.sample_sum = static_cast<double>(histogram.sum()) / parts;
    }

    [[nodiscard]] std::vector<prometheus::MetricFamily> take() { return std::move(families_); }

private:
    void begin(const char* name, const char* help, prometheus::MetricType type);
    prometheus::ClientMetric& add(Labels labels);

    std::vector<prometheus::MetricFamily> families_;
};

}  // namespace admin
