#include "codec/linear.h"

#include "codec/block_loops.h"
#include "codec/numbers.h"
#include "model/array.h"

namespace otolith::codec {

namespace {

// Of a step, so that no difference between rows of a page wraps: 13 days of nanoseconds.
constexpr std::uint64_t kStepMax = 1ull << 50;
constexpr std::uint64_t kPageBytes = 16;

// first + i * step over the rows that are not null.
struct Line {
  std::uint64_t first = 0;
  std::uint64_t step = 0;
};

class Linear final : public Codec {
 public:
  CodecKey key() const noexcept override { return {CodecId::linear, 1}; }
  std::string_view name() const noexcept override { return "linear"; }
  bool fits(Type type) const noexcept override { return is_integer(type); }

  std::optional<std::uint64_t> analyze(const Array& chunk) const override;
  EncodedChunk encode(const Array& chunk, std::uint32_t page_rows) const override;
  std::string_view flaw(const Parts& page, const PageFacts& facts) const override;
  void decode(const Parts& page, const PageFacts& facts, const Room& to) const override;
  bool gather(const Parts& page, const PageFacts& facts, const WantedRows& rows,
              std::byte* out) const override;
};

// ---------------------------------------------------------------------------------------- analyze

// Through the first two values that are there: the rows between them must divide the difference.
Line line_of(const Array& chunk, std::uint64_t first, std::uint64_t count) noexcept {
  const auto next = [&](std::uint64_t row) {
    while (row < first + count && chunk.is_null(row)) ++row;
    return row;
  };
  const std::uint64_t one = next(first);
  if (one == first + count) return {};
  Line out{number_at(chunk, one), 0};
  const std::uint64_t two = next(one + 1);
  if (two == first + count) return out;
  const std::uint64_t difference = number_at(chunk, two) - out.first;
  out.step = static_cast<std::uint64_t>(static_cast<std::int64_t>(difference) /
                                        static_cast<std::int64_t>(two - one));
  out.first -= (one - first) * out.step;
  return out;
}

// Whether the rows of a block that are not null do.
bool lies_on(const Array& chunk, std::uint64_t first, std::uint64_t count, Line line) noexcept {
  alignas(64) BlockValues room;
  const std::uint64_t* values = numbers_at(chunk, first, count, room);
  if (chunk.null_count == 0) return block_is_line(values, count, line.first, line.step);
  std::uint64_t differ = 0;
  for (std::uint64_t i = 0; i < count; ++i)
    differ |= chunk.is_null(first + i) ? 0 : values[i] ^ (line.first + i * line.step);
  return differ == 0;
}

std::optional<std::uint64_t> Linear::analyze(const Array& chunk) const {
  for (std::uint64_t page = 0; page < chunk.length; page += kPageRowsMax) {
    const std::uint64_t rows = std::min<std::uint64_t>(kPageRowsMax, chunk.length - page);
    const Line line = line_of(chunk, page, rows);
    if (line.step + kStepMax > 2 * kStepMax) return std::nullopt;
    for (std::uint64_t at = 0; at < rows; at += kBlockRows) {
      const std::uint64_t count = std::min<std::uint64_t>(kBlockRows, rows - at);
      if (!lies_on(chunk, page + at, count, {line.first + at * line.step, line.step})) {
        return std::nullopt;
      }
    }
  }
  return (chunk.length + kPageRowsMax - 1) / kPageRowsMax * kPageBytes;
}

// ----------------------------------------------------------------------------------------- encode

EncodedChunk Linear::encode(const Array& chunk, std::uint32_t page_rows) const {
  return pages_encode(
      chunk, page_rows,
      [](const Array& of, std::uint64_t first, std::uint64_t count, ByteWriter& out) {
        const Line line = line_of(of, first, count);
        out.put(line.first);
        out.put(line.step);
      });
}

// ----------------------------------------------------------------------------------------- decode

std::string_view Linear::flaw(const Parts& page, const PageFacts&) const {
  return page.values.bytes.size() == kPageBytes && page.offsets.bytes.empty()
             ? ""
             : "its values have a wrong size";
}

Line line(const Parts& page) noexcept {
  const std::byte* at = page.values.bytes.data();
  return {load_le<std::uint64_t>(at), load_le<std::uint64_t>(at + 8)};
}

void Linear::decode(const Parts& page, const PageFacts& facts, const Room& to) const {
  const auto [start, step] = line(page);
  const std::uint32_t width = type_width(facts.type);
  alignas(64) BlockValues room;
  for_each_block(facts.rows, [&](std::uint64_t first, std::uint64_t count) {
    std::byte* const out = to.values + first * width;
    const bool in_place = width == sizeof(std::uint64_t);
    std::uint64_t* const values = in_place ? reinterpret_cast<std::uint64_t*>(out) : room.data();
    block_line(start + first * step, step, count, values);
    if (!in_place) numbers_store(values, count, width, out);
  });
}

bool Linear::gather(const Parts& page, const PageFacts& facts, const WantedRows& rows,
                    std::byte* out) const {
  const auto [start, step] = line(page);
  const std::uint32_t width = type_width(facts.type);
  std::span<const std::uint32_t> left = rows.numbers;
  alignas(64) BlockValues values;
  while (!left.empty()) {
    const std::size_t count = std::min<std::size_t>(left.size(), kBlockRows);
    for (std::size_t i = 0; i < count; ++i) values[i] = start + (left[i] - rows.first) * step;
    numbers_store(values.data(), count, width, out);
    out += count * width;
    left = left.subspan(count);
  }
  return true;
}

}  // namespace

const Codec& linear_codec() noexcept {
  static const Linear codec;
  return codec;
}

}  // namespace otolith::codec
