// A codec of your own: how the values of one column become bytes and back.
//
// Role:    derive UserCodec, register it once per process before it is needed, and ask for it with
//          Column::codec = "codec:NAME".
// Shapes:  a page is up to 8,192 rows of one column; its bytes are the codec's own affair.
// Errors:  codec_register throws invalid_argument for an id or a name that is taken or reserved. A
//          segment whose codec is not registered is unsupported_format, naming it; other columns
//          stay readable. Whatever a codec throws becomes an Error that names it: std::bad_alloc is
//          limit, an Error keeps its code, anything else is invalid_argument where it encodes and
//          corrupt, with the place of the page, where it decodes.
// Threads: thread-safe; a codec is called from many threads at once.
// Why:     pages, not chunks: nulls, places and checksums stay ours, and a page that a codec
//          decodes wrongly is an error, never memory out of bounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "otolith/batch.h"

namespace otolith {

/// Ids of users' codecs; those below are Otolith's.
inline constexpr std::uint16_t kUserCodecFirst = 1024;

/// What Column::codec begins with where it names a user's codec.
inline constexpr std::string_view kUserCodecPrefix = "codec:";

/// One way to encode a column. Numbers and names are written into segments: never change them.
class UserCodec {
 public:
  virtual ~UserCodec() = default;
  /// >= kUserCodecFirst.
  virtual std::uint16_t id() const noexcept = 0;
  /// From 1; decode() gets pages of this version and of all before it.
  virtual std::uint16_t version() const noexcept = 0;
  /// 1 to 64 bytes of letters, digits, '-', '_' and '.'.
  virtual std::string_view name() const noexcept = 0;
  /// The types it takes; booleans are bytes of 0 and 1.
  virtual bool fits(Type type) const noexcept = 0;
  /// The bytes of a page. Slots of nulls may hold anything and need not come back. Values and
  /// offsets begin at a multiple of 8 in memory; the first offset need not be 0 (Array::text
  /// knows).
  virtual std::vector<std::byte> encode(const Array& page) const = 0;
  /// The page again: an Array of this type and length, without nulls; throws Error (corrupt) for
  /// bytes that encode() never made. Must not trust them: a checksum shows only that they are what
  /// some writer wrote. They begin at a multiple of 8 in memory; what comes back need not.
  virtual Array decode(std::span<const std::byte> bytes, Type type, std::uint64_t rows) const = 0;
};

/// Makes a codec known for the rest of the process.
///     otolith::codec_register(std::make_unique<MyCodec>());
void codec_register(std::unique_ptr<const UserCodec> codec);

}  // namespace otolith
