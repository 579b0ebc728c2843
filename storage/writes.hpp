// What a group of changes writes, as keys and values.
// An interface: the database's write batch, or a recorder.
#pragma once

#include <cstdint>
#include <string_view>

namespace storage {

enum class Family : std::uint8_t {
    state,     ///< Cursors, definitions, marks, delivery counts, group numbers.
    messages,  ///< Queue and sequence to message.
};

class Writes {
public:
    virtual ~Writes() = default;
    virtual void put(Family family, std::string_view key, std::string_view value) = 0;
    virtual void erase(Family family, std::string_view key) = 0;
    /// From `from` to before `to`.
    virtual void erase_range(Family family, std::string_view from, std::string_view to) = 0;
};

}  // namespace storage
