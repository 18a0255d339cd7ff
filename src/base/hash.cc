#include "base/hash.h"

#include <blake3.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/hash_avx2.h"
#include "base/vectors.h"

namespace otolith {

namespace {

constexpr std::size_t kLongBytes = 1024;  // shorter ones are not worth a call

const std::uint8_t* raw(BytesView bytes) noexcept {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

Hash256 finalize(const blake3_hasher& hasher) noexcept {
  Hash256 out;
  blake3_hasher_finalize(&hasher, reinterpret_cast<std::uint8_t*>(out.bytes.data()),
                         out.bytes.size());
  return out;
}

}  // namespace

std::string hex(BytesView bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::byte byte : bytes) {
    out += digits[std::to_integer<unsigned>(byte) >> 4];
    out += digits[std::to_integer<unsigned>(byte) & 15u];
  }
  return out;
}

Hash128 xxh3_128(BytesView bytes, std::uint64_t seed) noexcept {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(bytes.data(), bytes.size(), seed);
  return {.low = hash.low64, .high = hash.high64};
}

std::uint64_t xxh3(BytesView bytes, std::uint64_t seed) noexcept {
  if (bytes.size() >= kLongBytes && has_avx2()) return xxh3_avx2(bytes, seed);
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

Hash256 blake3(BytesView bytes) noexcept {
  blake3_hasher hasher;
  blake3_hasher_init(&hasher);
  blake3_hasher_update(&hasher, raw(bytes), bytes.size());
  return finalize(hasher);
}

Hash256 blake3_keyed(const Hash256& key, BytesView bytes) noexcept {
  return blake3_keyed(key, {bytes});
}

Hash256 blake3_keyed(const Hash256& key, std::initializer_list<BytesView> pieces) noexcept {
  blake3_hasher hasher;
  blake3_hasher_init_keyed(&hasher, raw(key.view()));
  for (const BytesView piece : pieces) {
    blake3_hasher_update(&hasher, raw(piece), piece.size());
  }
  return finalize(hasher);
}

std::array<Hash256, 2> blake3_keyed_pair(const Hash256& key, BytesView bytes) noexcept {
  blake3_hasher hasher;
  blake3_hasher_init_keyed(&hasher, raw(key.view()));
  blake3_hasher_update(&hasher, raw(bytes), bytes.size());
  std::array<std::byte, 64> wide;
  blake3_hasher_finalize(&hasher, reinterpret_cast<std::uint8_t*>(wide.data()), wide.size());
  std::array<Hash256, 2> out;
  std::memcpy(out[0].bytes.data(), wide.data(), 32);
  std::memcpy(out[1].bytes.data(), wide.data() + 32, 32);
  return out;
}

struct Blake3::State {
  blake3_hasher hasher;
};

Blake3::Blake3() : state_(std::make_unique<State>()) { blake3_hasher_init(&state_->hasher); }
Blake3::Blake3(const Hash256& key) : state_(std::make_unique<State>()) {
  blake3_hasher_init_keyed(&state_->hasher, raw(key.view()));
}
Blake3::Blake3(Blake3&&) noexcept = default;
Blake3& Blake3::operator=(Blake3&&) noexcept = default;
Blake3::~Blake3() = default;

void Blake3::add(BytesView bytes) noexcept {
  blake3_hasher_update(&state_->hasher, raw(bytes), bytes.size());
}

Hash256 Blake3::finish() const noexcept { return finalize(state_->hasher); }

}  // namespace otolith
