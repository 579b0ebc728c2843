// How many connections each user has: the interface that sessions ask.
// Any thread.
#pragma once

#include <string>

namespace engine {

class Attendance {
public:
    virtual ~Attendance() = default;
    /// Counts one more connection of `user`; false, and it is not counted, if it has as many as it
    /// may have.
    [[nodiscard]] virtual bool enter(const std::string& user) = 0;
    /// One that entered has ended.
    virtual void leave(const std::string& user) = 0;
};

}  // namespace engine
