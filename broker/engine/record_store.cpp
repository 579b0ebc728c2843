#include "broker/engine/record_store.hpp"

#include "protocol/encoder.hpp"
#include "protocol/escape.hpp"

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

namespace engine {

namespace {

constexpr std::size_t page_messages = 4096;
constexpr std::size_t page_bytes = 1024 * 1024;

std::string attributes_of(std::string_view kind) {
    return "kind=" + std::string(kind) + "\n";
}

std::string name_of(std::string_view kind, std::string_view destination) {
    return "/" + std::string(kind).append(destination);
}

}  // namespace

RecordStore::RecordStore(Journal& journal, std::string_view kind, const std::string& destination)
    : journal_(journal),
      recovered_{0, {name_of(kind, destination), attributes_of(kind)}, 1, 0, 0, 0, 0, {}} {}

RecordStore::RecordStore(Journal& journal, storage::RecoveredQueue recovered)
    : journal_(journal),
      recovered_(std::move(recovered)),
      id_(recovered_.id),
      last_(recovered_.last),
      next_(recovered_.first),
      missing_(recovered_.messages) {}

storage::Sequence RecordStore::append(std::string octets) {
    if (id_ == 0) {
        id_ = journal_.new_queue_id();
        last_ = 0;
        journal_.batch().define({id_, recovered_.definition});
    }
    auto owner = std::make_shared<const std::string>(std::move(octets));
    const std::string_view text = *owner;
    journal_.batch().append({id_, ++last_, text, std::move(owner)});
    return last_;
}

void RecordStore::remove(storage::SequenceRange range, std::size_t bytes) {
    if (id_ != 0) { journal_.batch().remove({id_, range, bytes}); }
}

void RecordStore::drop() {
    if (id_ != 0) { journal_.batch().drop({id_}); }
    id_ = 0;
}

void RecordStore::load(Take take, Done done) {
    take_ = std::move(take);
    done_ = std::move(done);
    read_page();
}

bool RecordStore::has_left(storage::Sequence at) const {
    const auto& holes = recovered_.holes;
    return std::any_of(holes.begin(), holes.end(), [at](const storage::SequenceRange& hole) {
        return hole.first <= at && at <= hole.last;
    });
}

void RecordStore::read_page() {
    if (recovered_.messages == 0 || next_ > recovered_.last) {
        take_ = nullptr;
        return std::exchange(done_, nullptr)(missing_);
    }
    storage::ReadRequest request;
    request.queue = id_;
    request.from = next_;
    request.to = recovered_.last;
    request.messages_max = page_messages;
    request.bytes_max = page_bytes;
    journal_.read(std::move(request), [this](const storage::ReadResult& result) {
        for (const storage::ReadResult::Stored& stored : result.messages) {
            if (has_left(stored.sequence)) { continue; }
            --missing_;
            take_(stored.sequence, result.record(stored));
        }
        next_ = result.next;
        read_page();
    });
}

void put_field(std::string& out, std::string_view name, std::string_view value) {
    protocol::append_header(out, name, value, protocol::Version::v1_2);
}

std::optional<std::string> take_field(std::string_view& text, std::string_view name) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos || end <= name.size() || !text.starts_with(name) ||
        text[name.size()] != ':') {
        return std::nullopt;
    }
    std::string value(text.substr(name.size() + 1, end - name.size() - 1));
    const auto size =
        protocol::unescape_in_place(value.data(), value.size(), protocol::Version::v1_2, false);
    if (!size) { return std::nullopt; }
    value.resize(*size);
    text.remove_prefix(end + 1);
    return value;
}

std::optional<std::int64_t> take_number(std::string_view& text, std::string_view name) {
    const auto value = take_field(text, name);
    if (!value) { return std::nullopt; }
    std::int64_t number = 0;
    const char* const end = value->data() + value->size();
    const auto [stop, ec] = std::from_chars(value->data(), end, number);
    if (ec != std::errc() || stop != end) { return std::nullopt; }
    return number;
}

std::optional<std::string> subject_of(
    const storage::QueueDefinition& definition, std::string_view kind
) {
    const std::size_t prefix = kind.size() + 1;
    if (definition.attributes != attributes_of(kind) || definition.name.size() <= prefix) {
        return std::nullopt;
    }
    return definition.name.substr(prefix);
}

storage::QueueDefinition definition_of(std::string_view kind, const std::string& destination) {
    return {name_of(kind, destination), attributes_of(kind)};
}

std::string home_name(const storage::QueueDefinition& definition) {
    for (const std::string_view kind :
         {delayed_kind, duplicates_kind, retained_kind, history_kind}) {
        if (auto subject = subject_of(definition, kind)) { return *std::move(subject); }
    }
    return definition.name;
}

}  // namespace engine
