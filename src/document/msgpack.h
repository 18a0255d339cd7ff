// What stands at the beginning of a msgpack value: its kind, and its number, length or count.
//
// Role:    the one place that knows the bytes of msgpack: Value reads by it, canonical checks by
//          it, Builder writes by it.
// Shapes:  a head is 1 to 9 bytes, of an extension 2 to 6; big-endian, as msgpack has it.
// Errors:  none: what is no msgpack, or does not fit the bytes that are left, has no head.
// Threads: thread-safe.
// Why:     a length or count that claims more than the bytes left is refused before anybody takes
//          memory for it: an item has at least one byte, a field at least two.
// Source:  the msgpack specification, with its timestamp extension.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "otolith/timestamp.h"

namespace otolith::document {

struct Head {
  enum class Form : std::uint8_t {
    null,
    boolean,
    positive,  // an integer from 0
    negative,  // an integer below 0
    float32,
    float64,
    string,
    binary,
    array,
    map,
    extension,
  };

  Form form = Form::null;
  std::uint8_t bytes = 1;     // of the head itself
  std::int8_t extension = 0;  // its type
  std::uint64_t number = 0;   // 0 or 1, an integer in two's complement, the bits of a float,
                              // the length in bytes, or the count of items or fields
  bool operator==(const Head&) const = default;

  /// Of the head, and of the payload that follows it; items and fields are values of their own.
  std::uint64_t size() const noexcept {
    const bool payload = form == Form::string || form == Form::binary || form == Form::extension;
    return bytes + (payload ? number : 0);
  }
  /// Values that follow it: items, or keys and values.
  std::uint64_t children() const noexcept {
    if (form == Form::map) return 2 * number;
    return form == Form::array ? number : 0;
  }
};

/// The head of the first value; nullopt where there is none, or where it claims more than there is.
std::optional<Head> head_of(BytesView bytes) noexcept;

/// The size in bytes of the first value, with all that is within it; 0 where it is not whole.
/// Without recursion, however deep it is.
std::size_t value_size(BytesView bytes) noexcept;

inline constexpr std::int8_t kTimestampExtension = -1;

/// The time of a timestamp's 4, 8 or 12 bytes; nullopt for other lengths, for ns beyond a second,
/// and for times that no Timestamp holds.
std::optional<Timestamp> timestamp_of(BytesView payload) noexcept;

/// Writes the shortest head of an integer, a length or a count, at most kHeadBytesMax bytes; the
/// number of bytes.
inline constexpr std::size_t kHeadBytesMax = 9;
std::size_t put_head(const Head& head, std::byte* out) noexcept;

/// Bytes of a timestamp, head included.
inline constexpr std::size_t kTimestampBytesMax = 15;
std::size_t put_timestamp(Timestamp time, std::byte* out) noexcept;

}  // namespace otolith::document
