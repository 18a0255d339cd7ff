#include "codec/dictionary.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <mutex>
#include <numeric>

#include "base/hash.h"
#include "base/limits.h"
#include "base/mutant.h"
#include "codec/bits.h"
#include "codec/byte_planes.h"
#include "codec/compress.h"
#include "codec/numbers.h"
#include "codec/select.h"
#include "model/array.h"

namespace otolith::codec {

namespace {

constexpr std::size_t kHeadBytes = 16;     // of the dictionary
constexpr std::size_t kPageHeadBytes = 8;  // of a page
constexpr std::uint8_t kPlain = 0;
constexpr std::uint8_t kZstd = 1;
constexpr std::uint64_t kSampledPages = 2;  // of a chunk
constexpr std::uint64_t kShortBytes = 16;   // texts that one store copies

class Dictionary final : public Codec {
 public:
  explicit Dictionary(bool dense) : dense_(dense) {}

  CodecKey key() const noexcept override {
    return {dense_ ? CodecId::dictionary_small : CodecId::dictionary, 1};
  }
  std::string_view name() const noexcept override {
    return dense_ ? "dictionary-small" : "dictionary";
  }
  bool dense() const noexcept override { return dense_; }
  bool fits(Type type) const noexcept override { return model::is_text(type); }

  std::optional<std::uint64_t> analyze(const Array& chunk) const override;
  EncodedChunk encode(const Array& chunk, std::uint32_t page_rows) const override;
  std::shared_ptr<const Prepared> prepare(BytesView shared) const override;
  std::string_view flaw(const Parts& page, const PageFacts& facts) const override;
  PagePart flaw_part(const Parts& page, const PageFacts& facts) const override;
  std::uint64_t decoded_bytes(const Parts& page, const PageFacts& facts) const override;
  void decode(const Parts& page, const PageFacts& facts, const Room& to) const override;
  bool select(const Parts& page, const PageFacts& facts, const model::Criterion& test,
              std::uint64_t* bits) const override;

 private:
  RowsEncoder page_encoder(const std::vector<std::uint32_t>& numbers) const;

  bool dense_;
};

// ---------------------------------------------------------------------------------------- analyze

std::string_view text_at(const Array& chunk, std::uint64_t row) noexcept {
  return chunk.is_null(row) ? std::string_view() : chunk.text(row);
}

// The distinct texts of some rows, numbered as they come: a table of open addresses. What most
// texts are, of up to eight bytes, is hashed and compared as a number, without a call.
class Distinct {
 public:
  /// Of texts that lie in `among`.
  explicit Distinct(BytesView among) : among_(among), slots_(kSlotsMin), mask_(slots_.size() - 1) {}

  std::uint32_t number(std::string_view text) {
    const std::uint64_t head = leading_bytes(text, among_);
    if (is_text(last_, head, text)) return last_.number;
    for (std::uint64_t at = hash(head, text) & mask_;; at = (at + 1) & mask_) {
      if (slots_[at].number == kEmpty) return add(at, head, text);
      if (is_text(slots_[at], head, text)) {
        last_ = slots_[at];
        return last_.number;
      }
    }
  }
  const std::vector<std::string_view>& texts() const noexcept { return texts_; }
  std::uint64_t bytes() const noexcept { return bytes_; }
  std::uint64_t longest() const noexcept { return longest_; }

 private:
  static constexpr std::uint32_t kEmpty = UINT32_MAX;
  static constexpr std::size_t kSlotsMin = 1024;
  static constexpr std::size_t kHeadBytes = sizeof(std::uint64_t);

  struct Slot {
    std::uint64_t head = 0;  // leading bytes of the text
    std::uint32_t number = kEmpty;
    std::uint32_t size = 0;  // of the text; texts of a chunk are shorter than 4 GiB
  };

  static std::uint64_t hash(std::uint64_t head, std::string_view text) noexcept {
    if (text.size() > kHeadBytes) return xxh3(as_bytes_view(text));
    // Short texts are the high bits of their number, and so is what the product mixes best.
    return std::byteswap((head ^ text.size()) * 0x9e3779b97f4a7c15ull);
  }

  bool is_text(const Slot& slot, std::uint64_t head, std::string_view text) const noexcept {
    if (slot.head != head || slot.size != text.size() || slot.number == kEmpty) return false;
    return text.size() <= kHeadBytes || texts_[slot.number] == text;
  }

  // Out of line: what most rows need stays small.
  [[gnu::noinline]] std::uint32_t add(std::uint64_t at, std::uint64_t head, std::string_view text) {
    const auto number = static_cast<std::uint32_t>(texts_.size());
    slots_[at] = last_ = {head, number, static_cast<std::uint32_t>(text.size())};
    texts_.push_back(text);
    bytes_ += text.size();
    longest_ = std::max<std::uint64_t>(longest_, text.size());
    if (2 * texts_.size() > slots_.size()) grow();
    return number;
  }

  void grow() {
    std::vector<Slot> before(4 * slots_.size());
    before.swap(slots_);
    mask_ = slots_.size() - 1;
    for (const Slot& slot : before) {
      if (slot.number == kEmpty) continue;
      std::uint64_t at = hash(slot.head, texts_[slot.number]) & mask_;
      while (slots_[at].number != kEmpty) at = (at + 1) & mask_;
      slots_[at] = slot;
    }
  }

  BytesView among_;
  std::vector<Slot> slots_;
  std::uint64_t mask_;
  std::vector<std::string_view> texts_;  // views of the chunk
  std::uint64_t bytes_ = 0;
  std::uint64_t longest_ = 0;
  Slot last_;
};

// True if so few rows of a sample repeat that a chunk has a text for every third row or more: of
// 4,096 rows out of 20,000 texts a tenth do.
bool too_many_values(const Array& chunk) {
  Distinct distinct(chunk.values.bytes);
  std::uint64_t rows = 0;
  for (const std::uint64_t first : sample_blocks(chunk.length)) {
    const std::uint64_t end = std::min<std::uint64_t>(first + kBlockRows, chunk.length);
    for (std::uint64_t row = first; row < end; ++row) distinct.number(text_at(chunk, row));
    rows += end - first;
  }
  return rows > kLanes && distinct.texts().size() * 10 > rows * 9;
}

// What a dictionary takes at most.
std::uint64_t dictionary_bytes(const Distinct& distinct) noexcept {
  std::uint64_t bytes = kHeadBytes + align_up(distinct.bytes(), 8);
  for_each_block(distinct.texts().size(), [&](std::uint64_t, std::uint64_t count) {
    bytes += kBlockHeadBytes +
             packed_bytes(count, static_cast<unsigned>(std::bit_width(distinct.longest())));
  });
  return bytes;
}

// ----------------------------------------------------------------------------------------- encode

// A chunk as numbers into entries that are sorted.
struct Numbered {
  std::vector<std::string_view> entries;
  std::vector<std::uint32_t> rows;
};

Numbered numbered_of(const Array& chunk, const Distinct& distinct,
                     std::vector<std::uint32_t> numbers) {
  std::vector<std::uint32_t> order(distinct.texts().size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&](std::uint32_t number) { return distinct.texts()[number]; });
  Numbered out;
  std::vector<std::uint32_t> place(order.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    place[order[i]] = i;
    out.entries.push_back(distinct.texts()[order[i]]);
  }
  for (std::uint64_t row = 0; row < chunk.length; ++row) numbers[row] = place[numbers[row]];
  out.rows = std::move(numbers);
  return out;
}

Numbered numbered_of(const Array& chunk) {
  Distinct distinct(chunk.values.bytes);
  std::vector<std::uint32_t> numbers(chunk.length);
  for (std::uint64_t row = 0; row < chunk.length; ++row)
    numbers[row] = distinct.number(text_at(chunk, row));
  return numbered_of(chunk, distinct, std::move(numbers));
}

void put_dictionary(const std::vector<std::string_view>& entries, bool dense, ByteWriter& out) {
  ByteWriter text;
  for (const std::string_view entry : entries) text.put_bytes(as_bytes_view(entry));
  ByteWriter frame;
  if (dense && text.size() != 0) zstd_put(text.view(), frame);
  const bool zstd = frame.size() != 0 && frame.size() < text.size();
  const BytesView stored = zstd ? frame.view() : text.view();
  out.put(static_cast<std::uint32_t>(entries.size()));
  out.put(zstd ? kZstd : kPlain);
  out.put_zeros(3);
  out.put(static_cast<std::uint32_t>(text.size()));
  out.put(static_cast<std::uint32_t>(stored.size()));
  for_each_block(entries.size(), [&](std::uint64_t first, std::uint64_t count) {
    BlockValues lengths;
    for (std::uint64_t i = 0; i < count; ++i) lengths[i] = entries[first + i].size();
    block_encode(lengths, count, 0, out);
  });
  out.put_bytes(stored);
  out.align(8);
}

RowsEncoder Dictionary::page_encoder(const std::vector<std::uint32_t>& numbers) const {
  return [this, &numbers](const Array& chunk, std::uint64_t first, std::uint64_t rows,
                          ByteWriter& out) {
    std::uint64_t text = 0;
    for (std::uint64_t row = first; row < first + rows; ++row) text += text_at(chunk, row).size();
    out.put(text);
    if (dense_) {
      const std::vector<std::uint64_t> values(
          numbers.begin() + static_cast<std::ptrdiff_t>(first),
          numbers.begin() + static_cast<std::ptrdiff_t>(first + rows));
      return planes_put(values, out);
    }
    for_each_block(rows, [&](std::uint64_t at, std::uint64_t count) {
      BlockValues values;
      for (std::uint64_t i = 0; i < count; ++i) values[i] = numbers[first + at + i];
      block_encode(values, count, kOrderMax, out);
    });
  };
}

std::optional<std::uint64_t> Dictionary::analyze(const Array& chunk) const {
  if (chunk.length == 0 || too_many_values(chunk)) return std::nullopt;
  Distinct distinct(chunk.values.bytes);
  std::vector<std::uint32_t> numbers(chunk.length);
  for (std::uint64_t row = 0; row < chunk.length; ++row)
    numbers[row] = distinct.number(text_at(chunk, row));
  if (distinct.longest() > kDictionaryTextBytesMax || distinct.bytes() > kDictionaryBytesMax)
    return std::nullopt;
  if (dense_) {
    const Numbered numbered = numbered_of(chunk, distinct, std::move(numbers));
    ByteWriter dictionary;
    put_dictionary(numbered.entries, true, dictionary);
    return dictionary.size() + pages_estimate(chunk, kSampledPages, page_encoder(numbered.rows));
  }
  const auto width = static_cast<unsigned>(std::bit_width(distinct.texts().size() - 1));
  std::uint64_t bytes = dictionary_bytes(distinct);
  for_each_block(chunk.length, [&](std::uint64_t, std::uint64_t count) {
    bytes += kBlockHeadBytes + packed_bytes(count, width);
  });
  return bytes + (chunk.length + kPageRowsMax - 1) / kPageRowsMax * kPageHeadBytes;
}

EncodedChunk Dictionary::encode(const Array& chunk, std::uint32_t page_rows) const {
  const Numbered numbered = numbered_of(chunk);
  EncodedChunk out = pages_encode(chunk, page_rows, page_encoder(numbered.rows));
  ByteWriter dictionary;
  put_dictionary(numbered.entries, dense_, dictionary);
  out.offsets = buffer_of(dictionary.take());
  return out;
}

// ----------------------------------------------------------------------------------------- decode

// Head of a dictionary of which at least kHeadBytes are there.
struct Head {
  std::uint64_t entries, scheme, text_bytes, stored_bytes;

  explicit Head(const std::byte* at) noexcept
      : entries(load_le<std::uint32_t>(at)),
        scheme(load_le<std::uint32_t>(at + 4)),
        text_bytes(load_le<std::uint32_t>(at + 8)),
        stored_bytes(load_le<std::uint32_t>(at + 12)) {}
};

// Head and lengths.
std::string_view dictionary_flaw(BytesView bytes, bool dense) noexcept {
  if (bytes.size() < kHeadBytes) return "its dictionary is cut short";
  const Head head(bytes.data());
  if (head.entries > kRowGroupRowsMax || head.scheme > (dense ? kZstd : kPlain) ||
      head.text_bytes > kDictionaryBytesMax ||
      (head.scheme == kPlain && head.stored_bytes != head.text_bytes)) {
    return "the head of its dictionary is impossible";
  }
  std::uint64_t at = kHeadBytes;
  std::uint64_t text = 0;
  for (std::uint64_t first = 0; first < head.entries; first += kBlockRows) {
    const std::uint64_t count = std::min<std::uint64_t>(kBlockRows, head.entries - first);
    std::uint64_t taken = 0;
    if (const auto wrong = block_flaw(bytes.subspan(at), count, 0, &taken); !wrong.empty())
      return wrong;
    BlockValues lengths;
    block_decode(&bytes[at], count, lengths.data());
    for (std::uint64_t i = 0; i < count; ++i) {
      if (lengths[i] > kDictionaryTextBytesMax)
        return "an entry of its dictionary has an impossible length";
      text += lengths[i];
    }
    at += taken;
  }
  if (text != head.text_bytes || align_up(at + head.stored_bytes, 8) != bytes.size())
    return "its dictionary has a wrong size";
  return all_zero(bytes.subspan(at + head.stored_bytes)) ? "" : "a reserved byte is not zero";
}

// The entries of a dictionary of any bytes; none of one that has a flaw.
class Entries final : public Prepared {
 public:
  Entries(BytesView bytes, bool dense) : flaw_(dictionary_flaw(bytes, dense)) {
    if (!flaw_.empty()) return;
    const Head head(bytes.data());
    const std::byte* at = bytes.data() + kHeadBytes;
    ends_.reserve(head.entries + 1);
    for_each_block(head.entries, [&](std::uint64_t, std::uint64_t count) {
      BlockValues lengths;
      at += block_decode(at, count, lengths.data());
      for (std::uint64_t i = 0; i < count; ++i)
        ends_.push_back(ends_.back() + static_cast<std::uint32_t>(lengths[i]));
    });
    // Room behind the last, so that a short text can be copied by one load.
    text_ = std::make_unique_for_overwrite<std::byte[]>(head.text_bytes + kShortBytes);
    std::fill_n(text_.get() + head.text_bytes, kShortBytes, std::byte{0});
    if (head.scheme == kPlain) {
      std::copy_n(at, head.text_bytes, text_.get());
    } else if (!zstd_get({at, head.stored_bytes}, text_.get(), head.text_bytes)) {
      flaw_ = "the text of its dictionary is no frame of zstd of its size";
      ends_.resize(1);
    }
  }

  /// Also asks whether the entries are distinct and ascending, once.
  std::string_view flaw() const {
    std::call_once(order_asked_, [this] {
      for (std::uint64_t entry = 1; entry < count() && flaw_.empty(); ++entry) {
        if (text(entry - 1) >= text(entry))
          flaw_ = "the entries of its dictionary are not in order";
      }
    });
    return flaw_;
  }
  std::uint64_t count() const noexcept { return ends_.size() - 1; }
  std::uint64_t bytes(std::uint64_t entry) const noexcept {
    return ends_[entry + 1] - ends_[entry];
  }
  const std::byte* at(std::uint64_t entry) const noexcept { return text_.get() + ends_[entry]; }
  std::string_view text(std::uint64_t entry) const noexcept {
    return as_text({at(entry), bytes(entry)});
  }

 private:
  std::vector<std::uint32_t> ends_{0};  // of each entry's text, a 0 before the first
  std::unique_ptr<std::byte[]> text_;
  mutable std::once_flag order_asked_;
  mutable std::string_view flaw_;
};

std::shared_ptr<const Prepared> Dictionary::prepare(BytesView shared) const {
  return std::make_shared<Entries>(shared, dense_);
}

// Those that were prepared for the page, or else made now.
std::shared_ptr<const Entries> entries_of(const Parts& page, bool dense) {
  if (page.prepared) return std::static_pointer_cast<const Entries>(page.prepared);
  return std::make_shared<Entries>(page.offsets.bytes, dense);
}

// Adds the text of rows with these entries.
std::string_view numbers_flaw(const Entries& entries, const std::uint64_t* numbers,
                              std::uint64_t rows, std::uint64_t* text) noexcept {
  for (std::uint64_t i = 0; i < rows; ++i) {
    if (numbers[i] >= entries.count() && !mutant("dictionary-entry-unchecked"))
      return "a row's entry is not in its dictionary";
    *text += entries.bytes(numbers[i]);
  }
  return {};
}

// The rows of a page as planes; adds their text.
std::string_view dense_flaw(const Entries& entries, BytesView bytes, std::uint64_t rows,
                            std::uint64_t* text) {
  std::uint64_t taken = 0;
  if (rows > kPageRowsMax) return "it has too many rows";
  if (const auto wrong = planes_flaw(bytes, rows, &taken); !wrong.empty()) return wrong;
  if (taken != bytes.size()) return "it has a wrong size";
  const auto numbers = std::make_unique_for_overwrite<std::uint64_t[]>(rows);
  planes_get(bytes.data(), rows, numbers.get());
  return numbers_flaw(entries, numbers.get(), rows, text);
}

std::string_view Dictionary::flaw(const Parts& page, const PageFacts& facts) const {
  const auto prepared = entries_of(page, dense_);
  const Entries& entries = *prepared;
  if (const auto wrong = entries.flaw(); !wrong.empty()) return wrong;
  if (page.values.bytes.size() < kPageHeadBytes) return "it is cut short";
  const BytesView rest = page.values.bytes.subspan(kPageHeadBytes);
  std::uint64_t text = 0;
  const auto wrong =
      dense_ ? dense_flaw(entries, rest, facts.rows, &text)
             : blocks_flaw(rest, facts,
                           [&](BytesView bytes, std::uint64_t count, std::uint64_t* taken) {
                             auto of_block = block_flaw(bytes, count, kOrderMax, taken);
                             if (!of_block.empty()) return of_block;
                             BlockValues values;
                             block_decode(bytes.data(), count, values.data());
                             return numbers_flaw(entries, values.data(), count, &text);
                           });
  if (!wrong.empty()) return wrong;
  return text == load_le<std::uint64_t>(&page.values.bytes[0])
             ? ""
             : "its text has another length than it says";
}

PagePart Dictionary::flaw_part(const Parts& page, const PageFacts&) const {
  return entries_of(page, dense_)->flaw().empty() ? PagePart::values : PagePart::offsets;
}

std::uint64_t Dictionary::decoded_bytes(const Parts& page, const PageFacts&) const {
  return load_le<std::uint64_t>(page.values.bytes.data());
}

// Writes the text of rows one behind another and never beyond `to.values + size`.
class TextWriter {
 public:
  TextWriter(const Entries& entries, const Room& to, std::uint64_t size) noexcept
      : entries_(entries), to_(to), size_(size) {}

  void write(const std::uint64_t* numbers, std::uint64_t first, std::uint64_t rows) noexcept {
    for (std::uint64_t i = 0; i < rows; ++i) {
      const std::byte* text = entries_.at(numbers[i]);
      const std::uint64_t bytes = entries_.bytes(numbers[i]);
      if (bytes <= kShortBytes && end_ + kShortBytes <= size_)
        std::memcpy(to_.values + end_, text, kShortBytes);  // more than it is, but one store
      else
        std::copy_n(text, bytes, to_.values + end_);
      end_ += bytes;
      store_le(to_.offsets + (first + i) * sizeof(std::int64_t), to_.text_at + end_);
    }
  }

 private:
  const Entries& entries_;
  Room to_;
  std::uint64_t size_;
  std::uint64_t end_ = 0;
};

void Dictionary::decode(const Parts& page, const PageFacts& facts, const Room& to) const {
  const auto entries = entries_of(page, dense_);
  TextWriter out(*entries, to, decoded_bytes(page, facts));
  const std::byte* at = page.values.bytes.data() + kPageHeadBytes;
  if (dense_) {
    const auto numbers = std::make_unique_for_overwrite<std::uint64_t[]>(facts.rows);
    planes_get(at, facts.rows, numbers.get());
    return out.write(numbers.get(), 0, facts.rows);
  }
  for_each_block(facts.rows, [&](std::uint64_t first, std::uint64_t count) {
    BlockValues values;
    at += block_decode(at, count, values.data());
    out.write(values.data(), first, count);
  });
}

bool Dictionary::select(const Parts& page, const PageFacts& facts, const model::Criterion& test,
                        std::uint64_t* bits) const {
  if (!is_selectable(test)) return false;
  const auto entries = entries_of(page, dense_);
  const IntegerTest asked =
      entry_test(test, entries->count(), [&](std::uint64_t entry) { return entries->text(entry); });
  const std::byte* at = page.values.bytes.data() + kPageHeadBytes;
  const auto numbers = std::make_unique_for_overwrite<std::uint64_t[]>(dense_ ? facts.rows : 0);
  if (dense_) planes_get(at, facts.rows, numbers.get());
  for_each_block(facts.rows, [&](std::uint64_t first, std::uint64_t count) {
    if (dense_)
      integers_select(numbers.get() + first, count, asked, bits + first / 64);
    else
      at += block_select(at, count, asked, bits + first / 64);
  });
  return true;
}

}  // namespace

const Codec& dictionary_codec() noexcept {
  static const Dictionary codec(false);
  return codec;
}

const Codec& dictionary_small_codec() noexcept {
  static const Dictionary codec(true);
  return codec;
}

}  // namespace otolith::codec
