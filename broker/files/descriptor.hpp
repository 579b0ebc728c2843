// A file descriptor that closes itself.
#pragma once

#include <unistd.h>

namespace files {

class Descriptor {
public:
    /// Owns `number`, which may be -1: none.
    explicit Descriptor(int number) : number_(number) {}

    ~Descriptor() {
        if (is_open()) { ::close(number_); }
    }

    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    [[nodiscard]] int number() const { return number_; }

    [[nodiscard]] bool is_open() const { return number_ >= 0; }

private:
    int number_;
};

}  // namespace files
