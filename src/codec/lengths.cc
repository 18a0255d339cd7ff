#include "codec/lengths.h"

#include "base/limits.h"
#include "base/mutant.h"
#include "codec/numbers.h"

namespace otolith::codec {

static_assert(kPageTextBytesMax == 32ull << 20, "kTextTooLong says so");

bool text_too_long(const Array& chunk, std::uint64_t page_rows) noexcept {
  const auto* at = chunk.offsets.as<std::int64_t>();
  for (std::uint64_t first = 0; first < chunk.length; first += page_rows) {
    const std::uint64_t end = std::min<std::uint64_t>(first + page_rows, chunk.length);
    if (static_cast<std::uint64_t>(at[end] - at[first]) > kPageTextBytesMax) return true;
  }
  return false;
}

void lengths_put(const Array& chunk, std::uint64_t first, std::uint64_t rows, ByteWriter& out) {
  for_each_block(rows, [&](std::uint64_t at, std::uint64_t count) {
    BlockValues lengths;
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t row = first + at + i;
      lengths[i] = chunk.is_null(row) ? 0 : chunk.text(row).size();
    }
    block_encode(lengths, count, 0, out);
  });
}

Bytes text_joined(const Array& chunk, std::uint64_t first, std::uint64_t rows) {
  Bytes out;
  for (std::uint64_t row = first; row < first + rows; ++row) {
    if (chunk.is_null(row)) continue;
    const BytesView text = as_bytes_view(chunk.text(row));
    out.insert(out.end(), text.begin(), text.end());
  }
  return out;
}

std::string_view lengths_flaw(BytesView bytes, std::uint64_t rows, std::uint64_t sum,
                              std::uint64_t* taken) noexcept {
  std::uint64_t at = 0;
  std::uint64_t seen = 0;
  if (sum > kPageTextBytesMax && !mutant("text-length-unlimited")) return kTextTooLong;
  for (std::uint64_t first = 0; first < rows; first += kBlockRows) {
    const std::uint64_t count = std::min<std::uint64_t>(kBlockRows, rows - first);
    std::uint64_t of_block = 0;
    if (const auto wrong = block_flaw(bytes.subspan(at), count, 0, &of_block); !wrong.empty())
      return wrong;
    BlockValues lengths;
    block_decode(&bytes[at], count, lengths.data());
    for (std::uint64_t i = 0; i < count; ++i) {
      if (lengths[i] > sum - seen) return "its lengths do not add up";
      seen += lengths[i];
    }
    at += of_block;
  }
  *taken = at;
  return seen == sum ? "" : "its lengths do not add up";
}

std::uint64_t lengths_get(const std::byte* bytes, std::uint64_t rows, const Room& to) noexcept {
  const std::byte* at = bytes;
  std::uint64_t end = to.text_at;
  for_each_block(rows, [&](std::uint64_t first, std::uint64_t count) {
    BlockValues lengths;
    at += block_decode(at, count, lengths.data());
    for (std::uint64_t i = 0; i < count; ++i) {
      end += lengths[i];
      store_le(to.offsets + (first + i) * sizeof(std::int64_t), end);
    }
  });
  return static_cast<std::uint64_t>(at - bytes);
}

}  // namespace otolith::codec
