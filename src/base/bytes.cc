#include "base/bytes.h"

#include <algorithm>
#include <utility>

namespace otolith {

namespace {

constexpr std::size_t kWriterBytesMin = 256;

}  // namespace

void ByteWriter::grow(std::size_t count) {
  buffer_.resize(std::max({kWriterBytesMin, 2 * buffer_.size(), size_ + count}));
}

Bytes ByteWriter::take() {
  buffer_.resize(size_);
  size_ = 0;
  return std::exchange(buffer_, {});
}

void ByteWriter::put_varint(std::uint64_t value) {
  while (value >= 0x80) {
    put(static_cast<std::uint8_t>(value | 0x80));
    value >>= 7;
  }
  put(static_cast<std::uint8_t>(value));
}

void ByteWriter::put_text(std::string_view text) {
  put_varint(text.size());
  put_bytes(as_bytes_view(text));
}

void ByteReader::fail(const char* why) const {
  throw_error(ErrorCode::corrupt, "{}: {} at byte {} of {}", what_, why, offset_, bytes_.size());
}

std::uint64_t ByteReader::get_long_varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const auto byte = get<std::uint8_t>();
    const std::uint64_t bits = byte & 0x7fu;
    if (shift == 63 && bits > 1) fail("number beyond 64 bits");
    value |= bits << shift;
    if ((byte & 0x80u) == 0) {
      if (byte == 0 && shift > 0) fail("number not in its shortest form");
      return value;
    }
  }
  fail("number beyond 64 bits");
}

std::string_view ByteReader::get_text(std::uint64_t bytes_max) {
  const std::uint64_t bytes = get_varint();
  if (bytes > bytes_max) fail("text longer than its limit");
  return as_text(take(bytes));
}

std::uint64_t ByteReader::get_count(std::uint64_t unit_bytes) {
  const std::uint64_t count = get_varint();
  if (count > left() / std::max<std::uint64_t>(1, unit_bytes))
    fail("count larger than what follows");
  return count;
}

void ByteReader::skip_zeros(std::size_t count) {
  for (const std::byte byte : take(count)) {
    if (byte != std::byte{0}) fail("reserved bytes are not zero");
  }
}

void ByteReader::expect_end() const {
  if (left() != 0) fail("bytes left over");
}

}  // namespace otolith
