// Texts compressed one by one by zstd, with a dictionary that they share.
//
// Role:    under the codec bodies.
// Shapes:  a dictionary of at most kBodyDictionaryBytes; a text is one frame that says its size,
//          without the four bytes of magic that all frames begin with; an empty one is nothing.
// Errors:  readers return false for bytes that are no such thing or do not fill their room
//          exactly; limit where there is no memory.
// Threads: thread-compatible; who only reads may do so on many threads, each with a context.
// Why:     what documents have in common stands in the dictionary, with the codes of their bytes,
//          so that a small one alone gets as small as among others. The dictionary is made of some
//          of them, by one pass over a sample: looking for the best parts of all takes ten times as
//          long for a sixtieth of their size (ADR 0088).
// Source:  RFC 8878, section 5 (dictionaries).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "otolith/batch.h"

namespace otolith::codec {

inline constexpr std::size_t kBodyDictionaryBytes = 16 << 10;     // that is written
inline constexpr std::size_t kBodyDictionaryBytesMax = 64 << 10;  // that is read

/// A dictionary for the texts of a chunk; empty where they are too few for one.
Bytes body_dictionary(const Array& chunk);

class BodyPacker {
 public:
  explicit BodyPacker(BytesView dictionary);
  ~BodyPacker();
  void put(BytesView text, ByteWriter& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class BodyUnpacker {
 public:
  /// Of any bytes.
  explicit BodyUnpacker(BytesView dictionary);
  ~BodyUnpacker();
  /// False where the bytes are no dictionary.
  bool sound() const noexcept;
  /// Bytes that it takes, the dictionary among them.
  std::uint64_t memory() const noexcept;
  /// The size that packed bytes claim; nullopt where they are not one frame that says it.
  std::optional<std::uint64_t> size(BytesView packed) const;
  /// Fills `size` bytes at `out`, never more; false unless the packed bytes give exactly as many.
  bool get(BytesView packed, std::byte* out, std::uint64_t size) const;
  /// Both at once, of a text of at most so many bytes.
  bool get(BytesView packed, std::uint64_t bytes_max, std::string& out) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace otolith::codec
