// Every bound of the protocol layer in one struct (P-LIM-01).
// Octets unless the name says otherwise; zero is never "unlimited".
#pragma once

#include <cstddef>

namespace protocol {

struct Limits {
    std::size_t header_line_max = 4096;                   ///< Name, colon and value, as received.
    std::size_t header_line_before_connected_max = 8192;  ///< Room for tokens in CONNECT.
    std::size_t header_count_max = 64;                    ///< Header lines in a frame.
    std::size_t header_bytes_max = 16 * 1024;             ///< All header lines of a frame.
    std::size_t frame_bytes_max = 1024 * 1024;            ///< Command to NUL.
    std::size_t before_connected_max = 16 * 1024;         ///< All octets until CONNECTED.
    std::size_t destination_bytes_max = 255;
    std::size_t destination_levels_max = 16;
    std::size_t id_bytes_max = 128;  ///< id, receipt, ack, transaction, ...
    std::size_t web_socket_message_max = 16 * 1024 * 1024;
    std::size_t web_socket_message_before_connected_max = 16 * 1024;
    std::size_t control_frames_per_second_max = 20;
    bool lenient_escapes = false;  ///< P-FRAME-08.
    bool strict = false;           ///< Tolerances are refused.
};

}  // namespace protocol
