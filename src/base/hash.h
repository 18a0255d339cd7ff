// The two hashes of the formats: XXH3-64 against damage, BLAKE3-256 against adversaries.
//
// Role:    XXH3 seals every frame, page and footer; BLAKE3 makes the chain of commits and its
//          leaves.
// Shapes:  XXH3: 8 bytes. BLAKE3: 32 bytes; feed it >= 32 KiB at once for full speed.
// Errors:  none.
// Threads: thread-compatible.
// Source:  xxHash (XXH3, Y. Collet); BLAKE3 specification (O'Connor, Aumasson, Neves,
//          Wilcox-O'Hearn).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace otolith {

/// 32 bytes of BLAKE3.
struct Hash256 {
  std::array<std::byte, 32> bytes{};
  auto operator<=>(const Hash256&) const = default;
  BytesView view() const noexcept { return bytes; }
  bool is_zero() const noexcept { return *this == Hash256{}; }
};

/// Lower-case hex, two digits a byte.
std::string hex(BytesView bytes);

std::uint64_t xxh3(BytesView bytes, std::uint64_t seed = 0) noexcept;

/// XXH3 with 128 bits, as a number.
struct Hash128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  bool operator==(const Hash128&) const = default;
};
Hash128 xxh3_128(BytesView bytes, std::uint64_t seed = 0) noexcept;

Hash256 blake3(BytesView bytes) noexcept;

/// BLAKE3 in keyed mode, of bytes or of pieces as if they stood behind each other.
Hash256 blake3_keyed(const Hash256& key, BytesView bytes) noexcept;
Hash256 blake3_keyed(const Hash256& key, std::initializer_list<BytesView> pieces) noexcept;
/// The first 64 bytes of its output instead of 32: two keys for the price of one.
std::array<Hash256, 2> blake3_keyed_pair(const Hash256& key, BytesView bytes) noexcept;

/// BLAKE3 fed piece by piece.
class Blake3 {
 public:
  Blake3();
  explicit Blake3(const Hash256& key);  // keyed mode
  Blake3(Blake3&&) noexcept;
  Blake3& operator=(Blake3&&) noexcept;
  ~Blake3();

  void add(BytesView bytes) noexcept;
  template <FixedWidth T>
  void add_value(T value) noexcept {
    std::array<std::byte, sizeof(T)> raw;
    store_le(raw.data(), value);
    add(raw);
  }
  Hash256 finish() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace otolith
