#include "broker/engine/topic.hpp"

#include "broker/engine/subscription.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace engine {

namespace {

char* put(char* out, std::string_view text) {
    std::memcpy(out, text.data(), text.size());
    return out + text.size();
}

}  // namespace

Topic::Topic(
    Shard& shard,
    TurnOutput& output,
    std::string space,
    std::string key,
    SlowConsumerPolicy policy,
    bool is_literal
)
    : shard_(shard),
      output_(output),
      space_(std::move(space)),
      key_(std::move(key)),
      policy_(std::move(policy)),
      is_literal_(is_literal) {}

void Topic::add(Subscription& subscription) {
    shard_.assert_current();
    exact_.add(subscription);
    ++exact_count_;
}

void Topic::remove(Subscription& subscription) {
    shard_.assert_current();
    assert(!is_fanning_out_);
    [[maybe_unused]] const bool was_there = exact_.remove(subscription);
    assert(was_there && "a subscription left a topic that it had not joined");
    --exact_count_;
}

void Topic::add_shard(unsigned shard) {
    shard_.assert_current();
    if (shard_counts_.size() <= shard) { shard_counts_.resize(shard + 1); }
    ++shard_counts_[shard];
    generation_ = 0;
}

void Topic::remove_shard(unsigned shard) {
    shard_.assert_current();
    --shard_counts_[shard];
    const auto is_zero = [](std::uint32_t count) { return count == 0; };
    if (std::all_of(shard_counts_.begin(), shard_counts_.end(), is_zero)) { shard_counts_.clear(); }
    generation_ = 0;
}

// What the index says, kept until it changes.
void Topic::refresh(const SubscriptionIndex& index) {
    shard_.assert_current();
    if (generation_ == index.generation()) { return; }
    generation_ = index.generation();
    wildcard_.clear();
    interested_.clear();
    bindings_.clear();
    selective_.reset();
    unselective_.clear();
    for (const auto& binding : bound_) {
        add_binding(*binding);
    }
    std::vector<bool> listens(shard_counts_.size());
    for (std::size_t i = 0; i < shard_counts_.size(); ++i) {
        listens[i] = shard_counts_[i] != 0;
    }
    std::vector<Interest> found;
    if (!is_literal_) { index.find(space_, key_, found); }
    for (const Interest& interest : found) {
        if (interest.binding != nullptr) {
            add_binding(*interest.binding);
        } else if (interest.subscription != nullptr) {
            const protocol::Destination here{protocol::DestinationKind::topic, space_, key_};
            if (interest.subscription->may_read(here)) { wildcard_.add(*interest.subscription); }
        } else {
            if (listens.size() <= interest.shard) { listens.resize(interest.shard + 1); }
            listens[interest.shard] = true;
        }
    }
    for (unsigned shard = 0; shard < listens.size(); ++shard) {
        if (listens[shard] && shard != shard_.index()) { interested_.push_back(shard); }
    }
}

void Topic::bind(std::shared_ptr<const Binding> binding) {
    shard_.assert_current();
    bound_.push_back(std::move(binding));
    generation_ = 0;
}

void Topic::unbind(const Binding& binding) {
    shard_.assert_current();
    std::erase_if(bound_, [&](const auto& other) { return other.get() == &binding; });
    generation_ = 0;
}

const std::vector<const Binding*>& Topic::bindings(const SubscriptionIndex& index) {
    refresh(index);
    return bindings_;
}

void Topic::add_binding(const Binding& binding) {
    bindings_.push_back(&binding);
    if (!binding.selector) { return unselective_.push_back(&binding); }
    if (!selective_) { selective_ = std::make_unique<BySelector<std::vector<const Binding*>>>(); }
    selective_->join(binding.selector).push_back(&binding);
}

const std::vector<const Binding*>& Topic::bindings(
    const SubscriptionIndex& index, const Message& message
) {
    refresh(index);
    if (!selective_) { return bindings_; }
    wanting_ = unselective_;
    selective_->visit(message, [this](const std::vector<const Binding*>& bindings) {
        wanting_.insert(wanting_.end(), bindings.begin(), bindings.end());
    });
    return wanting_;
}

std::size_t Topic::subscribers(const SubscriptionIndex& index) {
    shard_.assert_current();
    refresh(index);
    return exact_.members() + wildcard_.members();
}

const std::vector<unsigned>& Topic::interested_shards(const SubscriptionIndex& index) {
    refresh(index);
    return interested_;
}

// SEND path, stop 5 of 7 (topics).
void Topic::fan_out(const MessageRef& message, const SubscriptionIndex& index) {
    shard_.assert_current();
    refresh(index);
    ++meter_.published;
    is_fanning_out_ = true;
    const std::uint64_t begin = message->stamp() == 0 ? 0 : shard_.clock_us();
    const auto send = [&](FanoutGroup& group) { send_to(group, message); };
    exact_.visit(*message, send);
    wildcard_.visit(*message, send);
    is_fanning_out_ = false;
    if (begin != 0) { output_.counters.fanout_time.observe(shard_.clock_us() - begin); }
}

void Topic::send_to(FanoutGroup& group, const MessageRef& message) {
    meter_.delivered += group.members.size();
    if (group.is_shareable && group.members.size() > 1) { return send_shared(group, message); }
    for (Subscription* const member : group.members) {
        if (group.no_local && member->has_sent(*message)) { continue; }
        member->publish(message, policy_);
    }
}

// Room for `size` octets in the group's block of this turn. Blocks are kept by the turn, not by the
// group: an idle topic owns none.
Block& Topic::block_for(FanoutGroup& group, std::size_t size) {
    const bool is_current = group.turn == output_.turn;
    if (is_current && group.block->room() >= size) { return *group.block; }
    // A group that has filled a block in this turn is busy: it gets a standard one.
    group.block =
        output_.pool.take(is_current ? std::max<std::size_t>(size, BlockPool::standard) : size);
    group.turn = output_.turn;
    output_.shared.emplace_back(group.block);
    return *group.block;
}

// Builds the frame once, in the group's block of this turn, and lets every member's output refer to
// it.
void Topic::send_shared(FanoutGroup& group, const MessageRef& message) {
    const bool by_reference =
        message->body().size() >= group.members.front()->outbox().limits().large_body;
    const std::string_view body = message->body_with_nul();
    const std::string_view head = message->head(group.version);
    const std::size_t head_size = group.prefix.size() + message->id_line().size() +
                                  message->length_line().size() + head.size();
    const std::size_t frame_size = head_size + body.size();

    char header[protocol::web_socket_header_max];
    std::size_t header_size = 0;
    if (group.framing == Framing::web_socket) {
        const auto opcode = message->is_text() ? protocol::Opcode::text : protocol::Opcode::binary;
        header_size = protocol::write_web_socket_header(header, opcode, frame_size);
    }
    Block& block = block_for(group, header_size + (by_reference ? head_size : frame_size));
    const std::uint32_t begin = block.size;
    char* out = put(put(block.data() + begin, {header, header_size}), group.prefix);
    if (message->is_same_for_all() && !by_reference) {
        out = put(out, message->whole());
    } else {
        out = put(put(put(out, message->id_line()), message->length_line()), head);
        if (!by_reference) { out = put(out, body); }
    }
    block.size = static_cast<std::uint32_t>(out - block.data());
    const std::size_t total = header_size + frame_size;
    std::size_t taken = 0;
    for (Subscription* const member : group.members) {
        if (group.no_local && member->has_sent(*message)) { continue; }
        Outbox& outbox = member->outbox();
        if (!member->is_live() || !outbox.can_encode(total)) {
            member->publish(message, policy_);
            continue;
        }
        outbox.append_shared(block, begin, block.size);
        if (by_reference) { outbox.append_body(message); }
        member->count_delivered();
        ++taken;
    }
    output_.count_delivered(shard_, *message, 1, taken);
}

}  // namespace engine
