#include "broker/engine/message.hpp"

#include "broker/engine/counters.hpp"
#include "protocol/utf8.hpp"

#include <cassert>
#include <charconv>
#include <cstring>
#include <new>

namespace engine {

namespace {

constexpr std::string_view id_name = "message-id:";
constexpr std::string_view length_name = "content-length:";

// Allocates `tail` octets behind the one object that allocate_shared() makes, and tells where they
// are.
template <class T>
struct TailAllocator {
    using value_type = T;

    TailAllocator(std::size_t tail, char** at) : tail_size(tail), tail_at(at) {}

    template <class U>
    TailAllocator(const TailAllocator<U>& other)
        : tail_size(other.tail_size), tail_at(other.tail_at) {}  // NOLINT

    T* allocate(std::size_t count) {
        char* const memory = static_cast<char*>(::operator new(count * sizeof(T) + tail_size));
        *tail_at = memory + count * sizeof(T);
        return reinterpret_cast<T*>(memory);
    }

    void deallocate(T* memory, std::size_t) { ::operator delete(static_cast<void*>(memory)); }

    template <class U>
    friend bool operator==(const TailAllocator&, const TailAllocator<U>&) {
        return true;
    }

    std::size_t tail_size;
    char** tail_at;
};

// An empty text may have no address, which memcpy() does not allow.
char* append(char* out, std::string_view text) {
    if (text.empty()) { return out; }
    std::memcpy(out, text.data(), text.size());
    return out + text.size();
}

std::size_t digits_of(std::size_t number) {
    std::size_t digits = 1;
    while (number >= 10) {
        number /= 10;
        ++digits;
    }
    return digits;
}

// Replaces the digits of the expires_line at `line`.
void write_expiry(char* line, std::int64_t value) {
    constexpr std::size_t name_size = 8;
    for (std::size_t i = expires_line.size() - 1; i-- > name_size; value /= 10) {
        line[i] = static_cast<char>('0' + value % 10);
    }
}

constexpr std::int64_t overhead = 128;

}  // namespace

MessageRef Message::make(
    std::string_view id,
    const SendHead& head,
    std::string_view body,
    bool is_utf8,
    std::uint32_t stamp
) {
    assert(id.size() <= 64);
    const std::size_t size = id_name.size() + id.size() + 1 + length_name.size() +
                             digits_of(body.size()) + 1 + head.lines.size() + body.size() + 1;
    char* octets = nullptr;
    TailAllocator<Message> allocator(size, &octets);

    // The address is known only once the memory is there: `octets` is read through a reference.
    struct Late {
        char*& octets;

        operator char*() const { return octets; }  // NOLINT(google-explicit-constructor)
    };

    return std::allocate_shared<Message>(
        allocator, Private{}, Late{octets}, id, head, body, is_utf8, stamp
    );
}

Message::Message(
    Private,
    char* octets,
    std::string_view id,
    const SendHead& head,
    std::string_view body,
    bool is_utf8,
    std::uint32_t stamp
)
    : octets_(octets),
      older_(head.older),
      body_size_(static_cast<std::uint32_t>(body.size())),
      id_size_(static_cast<std::uint8_t>(id.size())),
      is_text_(is_utf8 || protocol::is_utf8(body)),
      stamp_(stamp),
      facts_(head.facts),
      publisher_(head.publisher) {
    char* out = append(octets, id_name);
    out = append(out, id);
    *out++ = '\n';
    char* const length_line = out;
    out = append(out, length_name);
    out = std::to_chars(out, out + 20, body.size()).ptr;
    *out++ = '\n';
    length_line_size_ = static_cast<std::uint16_t>(out - length_line);
    char* const lines = out;
    out = append(out, head.lines);
    if (facts_.expires != 0) { write_expiry(lines, facts_.expires); }
    body_begin_ = static_cast<std::uint32_t>(out - octets);
    out = append(out, body);
    *out = '\0';
    account(static_cast<std::int64_t>(size()) + overhead);
}

Message::~Message() {
    account(-static_cast<std::int64_t>(size()) - overhead);
}

std::string_view Message::head(protocol::Version version) const {
    if (older_ && version != protocol::Version::v1_2) {
        return version == protocol::Version::v1_1 ? older_->v1_1 : older_->v1_0;
    }
    const std::size_t begin = id_line().size() + length_line_size_;
    return {octets_ + begin, body_begin_ - begin};
}

std::string_view Message::find(std::string_view name) const {
    std::string_view rest = head(protocol::Version::v1_2);
    while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == ':') {
            return line.substr(name.size() + 1);
        }
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    }
    return {};
}

}  // namespace engine
