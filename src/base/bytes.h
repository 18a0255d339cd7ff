// Fixed-width little-endian values in byte buffers: the one way file formats are read and written.
//
// Role:    every layout.h and every frame goes through ByteWriter and ByteReader.
// Shapes:  offsets in bytes from the start of the buffer; varints are unsigned LEB128, <= 10 bytes.
// Errors:  ByteReader throws corrupt, naming what it reads and where in it, when a read passes the
//          end or a length exceeds what is left.
// Threads: thread-compatible.
// Why:     never casts structs onto buffers, so alignment, padding and byte order cannot differ.
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/error.h"

namespace otolith {

static_assert(std::endian::native == std::endian::little,
              "formats are little-endian and read in place; a big-endian port needs its own loads");

using Bytes = std::vector<std::byte>;
using BytesView = std::span<const std::byte>;  // valid until its owner goes

template <typename T>
concept FixedWidth = (std::integral<T> || std::floating_point<T> || std::is_enum_v<T>);

/// Loads a little-endian value from unaligned memory.
template <FixedWidth T>
T load_le(const void* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

/// Stores a little-endian value to unaligned memory.
template <FixedWidth T>
void store_le(void* to, T value) noexcept {
  std::memcpy(to, &value, sizeof(T));
}

inline BytesView as_bytes_view(std::string_view text) noexcept {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(BytesView bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The first bytes of a text, up to eight, zeros behind them, as a number that orders as they do:
/// texts whose numbers differ compare as the numbers, texts of one size up to eight with the same
/// number are equal. `among`: the memory that the text lies in, so that one load does where it may.
inline std::uint64_t leading_bytes(std::string_view text, BytesView among) noexcept {
  if (text.empty()) return 0;
  const auto* end = reinterpret_cast<const char*>(among.data() + among.size());
  std::uint64_t head = 0;
  if (end - text.data() < 8) {
    std::memcpy(&head, text.data(), text.size());
    return std::byteswap(head);
  }
  head = std::byteswap(load_le<std::uint64_t>(text.data()));
  return text.size() < 8 ? head & ~(~std::uint64_t{0} >> (8 * text.size())) : head;
}

inline bool all_zero(BytesView bytes) noexcept {
  return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

/// Rounds up to a multiple of a power of two.
constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) noexcept {
  return (value + alignment - 1) & ~(alignment - 1);
}

/// Appends values to a growing buffer.
class ByteWriter {
 public:
  template <FixedWidth T>
  void put(T value) {
    store_le(room(sizeof(T)), value);
  }
  void put_bytes(BytesView bytes) {
    if (!bytes.empty()) std::memcpy(room(bytes.size()), bytes.data(), bytes.size());
  }
  void put_varint(std::uint64_t value);
  void put_zeros(std::size_t count) {
    if (count != 0) std::memset(room(count), 0, count);
  }
  /// Length as a varint, then the bytes.
  void put_text(std::string_view text);
  void align(std::size_t alignment) { put_zeros(align_up(size_, alignment) - size_); }
  /// Overwrites an earlier value, for lengths and checksums known only at the end.
  template <FixedWidth T>
  void patch(std::size_t at, T value) {
    OTO_INVARIANT(at + sizeof(T) <= size_);
    store_le(buffer_.data() + at, value);
  }

  std::size_t size() const noexcept { return size_; }
  BytesView view() const noexcept { return BytesView(buffer_).first(size_); }
  Bytes take();
  void clear() noexcept { size_ = 0; }

 private:
  /// Where the next `count` bytes go; valid until the next call.
  std::byte* room(std::size_t count) {
    if (count > buffer_.size() - size_) grow(count);
    std::byte* const at = buffer_.data() + size_;
    size_ += count;
    return at;
  }
  void grow(std::size_t count);

  Bytes buffer_;  // longer than what was put, so that a value costs no call
  std::size_t size_ = 0;
};

/// Reads values from a borrowed buffer, front to back; valid until the buffer goes.
class ByteReader {
 public:
  explicit ByteReader(BytesView bytes, std::string_view what = "record")
      : bytes_(bytes), what_(what) {}

  template <FixedWidth T>
  T get() {
    return load_le<T>(take(sizeof(T)).data());
  }
  BytesView get_bytes(std::uint64_t count) { return take(count); }
  std::uint64_t get_varint() {
    const bool one_byte = left() != 0 && bytes_[offset_] < std::byte{0x80};  // most are
    return one_byte ? std::to_integer<std::uint64_t>(bytes_[offset_++]) : get_long_varint();
  }
  std::string_view get_text(std::uint64_t bytes_max);
  /// A count of things of at least `unit_bytes` each: refused if more than could follow, so that a
  /// hostile count never reserves memory.
  std::uint64_t get_count(std::uint64_t unit_bytes);
  void skip_zeros(std::size_t count);  // reserved bytes: corrupt unless zero
  void expect_end() const;             // corrupt if bytes are left over

  std::size_t offset() const noexcept { return offset_; }
  std::size_t left() const noexcept { return bytes_.size() - offset_; }

  [[noreturn]] void fail(const char* why) const;

 private:
  BytesView take(std::uint64_t count) {
    if (count > left()) fail("ends too early");
    const BytesView out = bytes_.subspan(offset_, count);
    offset_ += count;
    return out;
  }
  std::uint64_t get_long_varint();

  BytesView bytes_;
  std::string_view what_;
  std::size_t offset_ = 0;
};

}  // namespace otolith
