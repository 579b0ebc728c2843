// A scan from the first message on; where it breaks on a damaged block, message by message.
// Limits: those of the request.
#include "storage/read_messages.hpp"

#include "storage/record.hpp"

#include <algorithm>
#include <string>

namespace storage {
namespace {

/// Collects an answer.
class Answer {
public:
    explicit Answer(const ReadRequest& request) : request_(request) {
        result_.id = request.id;
        result_.next = request.from;
    }

    [[nodiscard]] bool is_full() const {
        return result_.messages.size() + result_.damaged.size() >= request_.messages_max ||
               result_.octets.size() >= request_.bytes_max;
    }

    void add(std::string_view key, Sequence sequence, std::string_view value) {
        const std::optional<std::string_view> octets = unseal(key, value);
        if (!octets) { return add_damaged(sequence); }
        result_.messages.push_back({sequence, 0, result_.octets.size(), octets->size()});
        result_.octets += *octets;
        result_.next = sequence + 1;
    }

    void add_damaged(Sequence sequence) {
        result_.damaged.push_back(sequence);
        result_.next = sequence + 1;
    }

    void skip(Sequence sequence) { result_.next = sequence + 1; }

    [[nodiscard]] ReadResult& result() { return result_; }

private:
    const ReadRequest& request_;
    ReadResult result_;
};

void scan(const Database& database, const ReadRequest& request, Answer& answer) {
    const Key from = message_key(request.queue, request.from);
    const Key to = message_key(request.queue, request.to + 1);
    const auto visit = [&answer](std::string_view key, std::string_view value) {
        const std::optional<MessageKey> parsed = parse_message_key(key);
        if (!parsed) { return true; }
        answer.add(key, parsed->sequence, value);
        return !answer.is_full();
    };
    const std::string error = database.scan(Family::messages, from.view(), to.view(), visit);
    if (error.empty() && !answer.is_full()) { answer.skip(request.to); }
}

/// Goes on behind the place where a scan broke.
void look_up(const Database& database, const ReadRequest& request, Answer& answer) {
    std::string value;
    std::size_t looks = 0;
    Sequence& next = answer.result().next;
    while (next <= request.to && !answer.is_full() && looks++ < request.messages_max) {
        const Key key = message_key(request.queue, next);
        switch (database.get(Family::messages, key.view(), value)) {
            case Found::yes:
                answer.add(key.view(), next, value);
                break;
            case Found::no:
                answer.skip(next);
                break;
            case Found::damaged:
                answer.add_damaged(next);
                break;
        }
    }
}

/// A count that cannot be read counts as one: the redelivered mark must never be missing.
std::uint32_t decode_count(std::string_view key, std::string_view value) {
    const std::optional<std::string_view> payload = unseal(key, value);
    const auto count = payload ? decode_number(*payload) : std::nullopt;
    return static_cast<std::uint32_t>(count.value_or(1));
}

void add_deliveries(const Database& database, const ReadRequest& request, ReadResult& result) {
    if (result.messages.empty()) { return; }
    const Key from =
        state_key({StateKind::deliveries, request.queue, result.messages.front().sequence});
    const Key to = state_key({StateKind::deliveries, request.queue, result.next});
    auto it = result.messages.begin();
    const auto visit = [&](std::string_view key, std::string_view value) {
        const std::optional<StateKey> parsed = parse_state_key(key);
        if (!parsed) { return true; }
        it = std::ranges::lower_bound(
            it, result.messages.end(), parsed->sequence, {}, &ReadResult::Stored::sequence
        );
        if (it == result.messages.end()) { return false; }
        if (it->sequence == parsed->sequence) { it->deliveries = decode_count(key, value); }
        return true;
    };
    // What cannot be read of the counts costs redelivered marks only if the table is damaged, which
    // the check of the store finds.
    static_cast<void>(database.scan(Family::state, from.view(), to.view(), visit));
}

}  // namespace

ReadResult read_messages(const Database& database, const ReadRequest& request) {
    Answer answer(request);
    scan(database, request, answer);
    look_up(database, request, answer);
    add_deliveries(database, request, answer.result());
    return std::move(answer.result());
}

}  // namespace storage
