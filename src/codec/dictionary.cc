#include "codec/dictionary.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#include "base/hash.h"
#include "base/limits.h"
#include "base/mutant.h"
#include "codec/bits.h"
#include "codec/numbers.h"
#include "model/array.h"

namespace otolith::codec {

namespace {

constexpr std::size_t kHeadBytes = 8;      // of the dictionary
constexpr std::size_t kPageHeadBytes = 8;  // of a page

class Dictionary final : public Codec {
 public:
  CodecKey key() const noexcept override { return {CodecId::dictionary, 1}; }
  std::string_view name() const noexcept override { return "dictionary"; }
  bool fits(Type type) const noexcept override { return model::is_text(type); }

  std::optional<std::uint64_t> analyze(const Array& chunk) const override;
  EncodedChunk encode(const Array& chunk, std::uint32_t page_rows) const override;
  std::string_view flaw(const Parts& page, const PageFacts& facts) const override;
  std::uint64_t decoded_bytes(const Parts& page, const PageFacts& facts) const override;
  void decode(const Parts& page, const PageFacts& facts, const Room& to) const override;
};

// ---------------------------------------------------------------------------------------- analyze

std::string_view text_at(const Array& chunk, std::uint64_t row) noexcept {
  return chunk.is_null(row) ? std::string_view() : chunk.text(row);
}

// The distinct texts of some rows, numbered as they come: a table of open addresses.
class Distinct {
 public:
  explicit Distinct(std::uint64_t rows_max)
      : slots_(std::bit_ceil(2 * rows_max + 1), kEmpty), mask_(slots_.size() - 1) {}

  std::uint32_t number(std::string_view text) {
    if (!texts_.empty() && texts_[last_] == text) return last_;
    for (std::uint64_t at = xxh3(as_bytes_view(text)) & mask_;; at = (at + 1) & mask_) {
      std::uint32_t& slot = slots_[at];
      if (slot == kEmpty) {
        slot = static_cast<std::uint32_t>(texts_.size());
        texts_.push_back(text);
        bytes_ += text.size();
        longest_ = std::max<std::uint64_t>(longest_, text.size());
      }
      if (texts_[slot] == text) return last_ = slot;
    }
  }
  const std::vector<std::string_view>& texts() const noexcept { return texts_; }
  std::uint64_t bytes() const noexcept { return bytes_; }
  std::uint64_t longest() const noexcept { return longest_; }

 private:
  static constexpr std::uint32_t kEmpty = UINT32_MAX;
  std::vector<std::uint32_t> slots_;
  std::uint64_t mask_;
  std::vector<std::string_view> texts_;  // views of the chunk
  std::uint64_t bytes_ = 0;
  std::uint64_t longest_ = 0;
  std::uint32_t last_ = 0;
};

// True if half of the rows of a sample have a text that no other has.
bool too_many_values(const Array& chunk) {
  Distinct distinct(kSampleBlocks * kBlockRows);
  std::uint64_t rows = 0;
  for (const std::uint64_t first : sample_blocks(chunk.length)) {
    const std::uint64_t end = std::min<std::uint64_t>(first + kBlockRows, chunk.length);
    for (std::uint64_t row = first; row < end; ++row) distinct.number(text_at(chunk, row));
    rows += end - first;
  }
  return rows > kLanes && distinct.texts().size() * 2 > rows;
}

std::uint64_t dictionary_bytes(const Distinct& distinct) noexcept {
  return align_up(kHeadBytes + distinct.texts().size() * sizeof(std::uint32_t) + distinct.bytes(),
                  8);
}

std::optional<std::uint64_t> Dictionary::analyze(const Array& chunk) const {
  if (chunk.length == 0 || too_many_values(chunk)) return std::nullopt;
  Distinct distinct(chunk.length);
  for (std::uint64_t row = 0; row < chunk.length; ++row) distinct.number(text_at(chunk, row));
  if (distinct.longest() > kDictionaryTextBytesMax || dictionary_bytes(distinct) > UINT32_MAX)
    return std::nullopt;
  const auto width = static_cast<unsigned>(std::bit_width(distinct.texts().size() - 1));
  std::uint64_t bytes = dictionary_bytes(distinct);
  for_each_block(chunk.length, [&](std::uint64_t, std::uint64_t count) {
    bytes += kBlockHeadBytes + packed_bytes(count, width);
  });
  return bytes + (chunk.length + kPageRowsMax - 1) / kPageRowsMax * kPageHeadBytes;
}

// ----------------------------------------------------------------------------------------- encode

Buffer dictionary_of(const Distinct& distinct, const std::vector<std::uint32_t>& order) {
  ByteWriter out;
  out.put(static_cast<std::uint32_t>(order.size()));
  out.put_zeros(4);
  std::uint32_t end = 0;
  for (const std::uint32_t number : order) {
    end += static_cast<std::uint32_t>(distinct.texts()[number].size());
    out.put(end);
  }
  for (const std::uint32_t number : order) out.put_bytes(as_bytes_view(distinct.texts()[number]));
  out.align(8);
  return buffer_of(out.take());
}

EncodedChunk Dictionary::encode(const Array& chunk, std::uint32_t page_rows) const {
  Distinct distinct(chunk.length);
  std::vector<std::uint32_t> numbers(chunk.length);
  for (std::uint64_t row = 0; row < chunk.length; ++row)
    numbers[row] = distinct.number(text_at(chunk, row));
  std::vector<std::uint32_t> order(distinct.texts().size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&](std::uint32_t number) { return distinct.texts()[number]; });
  std::vector<std::uint32_t> place(order.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) place[order[i]] = i;
  const auto page = [&](const Array& of, std::uint64_t first, std::uint64_t rows, ByteWriter& out) {
    std::uint64_t text = 0;
    for (std::uint64_t row = first; row < first + rows; ++row) text += text_at(of, row).size();
    out.put(text);
    for_each_block(rows, [&](std::uint64_t at, std::uint64_t count) {
      BlockValues values;
      for (std::uint64_t i = 0; i < count; ++i) values[i] = place[numbers[first + at + i]];
      block_encode(values, count, 0, out);
    });
  };
  EncodedChunk out = pages_encode(chunk, page_rows, page);
  out.offsets = dictionary_of(distinct, order);
  return out;
}

// ----------------------------------------------------------------------------------------- decode

// The entries of a dictionary without flaw.
class Entries {
 public:
  explicit Entries(BytesView bytes) noexcept
      : count_(load_le<std::uint32_t>(bytes.data())),
        ends_(bytes.data() + kHeadBytes),
        text_(ends_ + count_ * sizeof(std::uint32_t)) {}

  std::uint64_t count() const noexcept { return count_; }
  BytesView text(std::uint64_t entry) const noexcept {
    const std::uint64_t from = entry == 0 ? 0 : end(entry - 1);
    return {text_ + from, end(entry) - from};
  }

 private:
  std::uint64_t end(std::uint64_t entry) const noexcept {
    return load_le<std::uint32_t>(ends_ + entry * sizeof(std::uint32_t));
  }

  std::uint64_t count_;
  const std::byte* ends_;
  const std::byte* text_;
};

std::string_view dictionary_flaw(BytesView bytes) noexcept {
  if (bytes.size() < kHeadBytes) return "its dictionary is cut short";
  const std::uint64_t count = load_le<std::uint32_t>(&bytes[0]);
  if (load_le<std::uint32_t>(&bytes[4]) != 0)
    return "a reserved byte of its dictionary is not zero";
  if ((bytes.size() - kHeadBytes) / sizeof(std::uint32_t) < count)
    return "its dictionary is cut short";
  const std::uint64_t texts = kHeadBytes + count * sizeof(std::uint32_t);
  std::uint64_t end = 0;
  for (std::uint64_t entry = 0; entry < count; ++entry) {
    const std::uint64_t next =
        load_le<std::uint32_t>(&bytes[kHeadBytes + entry * sizeof(std::uint32_t)]);
    if (next < end || next - end > kDictionaryTextBytesMax)
      return "an entry of its dictionary has an impossible length";
    end = next;
  }
  if (align_up(texts + end, 8) != bytes.size()) return "its dictionary has a wrong size";
  for (const std::byte byte : bytes.subspan(texts + end)) {
    if (byte != std::byte{0}) return "a reserved byte of its dictionary is not zero";
  }
  return {};
}

// Entries are distinct and ascending.
std::string_view order_flaw(const Entries& entries) noexcept {
  for (std::uint64_t entry = 1; entry < entries.count(); ++entry) {
    if (as_text(entries.text(entry - 1)) >= as_text(entries.text(entry)))
      return "the entries of its dictionary are not in order";
  }
  return {};
}

std::string_view Dictionary::flaw(const Parts& page, const PageFacts& facts) const {
  if (const auto wrong = dictionary_flaw(page.offsets.bytes); !wrong.empty()) return wrong;
  const Entries entries(page.offsets.bytes);
  if (const auto wrong = order_flaw(entries); !wrong.empty()) return wrong;
  if (page.values.bytes.size() < kPageHeadBytes) return "it is cut short";
  std::uint64_t text = 0;
  const auto wrong = blocks_flaw(
      page.values.bytes.subspan(kPageHeadBytes), facts,
      [&](BytesView rest, std::uint64_t count, std::uint64_t* taken) -> std::string_view {
        if (const auto of_block = block_flaw(rest, count, 0, taken); !of_block.empty())
          return of_block;
        BlockValues values;
        block_decode(rest.data(), count, values.data());
        for (std::uint64_t i = 0; i < count; ++i) {
          if (values[i] >= entries.count() && !mutant("dictionary-entry-unchecked"))
            return "a row's entry is not in its dictionary";
          text += entries.text(values[i]).size();
        }
        return {};
      });
  if (!wrong.empty()) return wrong;
  return text == load_le<std::uint64_t>(&page.values.bytes[0])
             ? ""
             : "its text has another length than it says";
}

std::uint64_t Dictionary::decoded_bytes(const Parts& page, const PageFacts&) const {
  return load_le<std::uint64_t>(page.values.bytes.data());
}

void Dictionary::decode(const Parts& page, const PageFacts& facts, const Room& to) const {
  const Entries entries(page.offsets.bytes);
  const std::byte* at = page.values.bytes.data() + kPageHeadBytes;
  std::uint64_t end = 0;
  for_each_block(facts.rows, [&](std::uint64_t first, std::uint64_t count) {
    BlockValues values;
    at += block_decode(at, count, values.data());
    for (std::uint64_t i = 0; i < count; ++i) {
      const BytesView text = entries.text(values[i]);
      if (!text.empty()) std::memcpy(to.values + end, text.data(), text.size());
      end += text.size();
      store_le(to.offsets + (first + i) * sizeof(std::int64_t), to.text_at + end);
    }
  });
}

}  // namespace

const Codec& dictionary_codec() noexcept {
  static const Dictionary codec;
  return codec;
}

}  // namespace otolith::codec
