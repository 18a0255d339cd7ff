#include "codec/text.h"

#include <algorithm>

#include "base/limits.h"
#include "codec/lengths.h"
#include "codec/numbers.h"
#include "codec/symbols.h"
#include "model/array.h"

namespace otolith::codec {

namespace {

constexpr std::size_t kHeadBytes = 8;
constexpr std::size_t kSampleBytes = 4096;  // of each sampled block, to build a table of symbols

class Text final : public Codec {
 public:
  CodecKey key() const noexcept override { return {CodecId::text, 1}; }
  std::string_view name() const noexcept override { return "text"; }
  bool fits(Type type) const noexcept override { return model::is_text(type); }
  bool limits_text() const noexcept override { return true; }

  std::optional<std::uint64_t> analyze(const Array& chunk) const override;
  EncodedChunk encode(const Array& chunk, std::uint32_t page_rows) const override;
  std::string_view flaw(const Parts& page, const PageFacts& facts) const override;
  PagePart flaw_part(const Parts& page, const PageFacts&) const override {
    return symbols_flaw(page.offsets.bytes).empty() ? PagePart::values : PagePart::offsets;
  }
  std::uint64_t decoded_bytes(const Parts& page, const PageFacts& facts) const override;
  void decode(const Parts& page, const PageFacts& facts, const Room& to) const override;
};

// ---------------------------------------------------------------------------------------- analyze

SymbolTable table_of(const Array& chunk) {
  Bytes sample;
  for (const std::uint64_t first : sample_blocks(chunk.length)) {
    const std::uint64_t end = std::min<std::uint64_t>(first + kBlockRows, chunk.length);
    std::size_t room = kSampleBytes;
    for (std::uint64_t row = first; row < end && room != 0; ++row) {
      if (chunk.is_null(row)) continue;
      const BytesView all = as_bytes_view(chunk.text(row));
      const BytesView text = all.first(std::min(room, all.size()));
      sample.insert(sample.end(), text.begin(), text.end());
      room -= text.size();
    }
  }
  return SymbolTable::build(sample);
}

// ----------------------------------------------------------------------------------------- encode

RowsEncoder rows_encoder(const SymbolTable& table) {
  return [&table](const Array& chunk, std::uint64_t first, std::uint64_t rows, ByteWriter& out) {
    const Bytes text = text_joined(chunk, first, rows);
    ByteWriter packed;
    table.pack(text, packed);
    out.put(static_cast<std::uint32_t>(text.size()));
    out.put(static_cast<std::uint32_t>(packed.size()));
    lengths_put(chunk, first, rows, out);
    out.put_bytes(packed.view());
    out.align(8);
  };
}

std::optional<std::uint64_t> Text::analyze(const Array& chunk) const {
  if (chunk.length == 0) return std::nullopt;
  const SymbolTable table = table_of(chunk);
  ByteWriter shared;
  table.write(shared);
  return shared.size() + rows_estimate(chunk, rows_encoder(table));
}

EncodedChunk Text::encode(const Array& chunk, std::uint32_t page_rows) const {
  const SymbolTable table = table_of(chunk);
  EncodedChunk out = pages_encode(chunk, page_rows, rows_encoder(table));
  ByteWriter shared;
  table.write(shared);
  out.offsets = buffer_of(shared.take());
  return out;
}

// ----------------------------------------------------------------------------------------- decode

std::string_view Text::flaw(const Parts& page, const PageFacts& facts) const {
  const BytesView table = page.offsets.bytes;
  const BytesView bytes = page.values.bytes;
  if (const auto wrong = symbols_flaw(table); !wrong.empty()) return wrong;
  if (bytes.size() < kHeadBytes) return "it is cut short";
  const std::uint64_t text = load_le<std::uint32_t>(&bytes[0]);
  const std::uint64_t packed = load_le<std::uint32_t>(&bytes[4]);
  std::uint64_t lengths = 0;
  if (const auto wrong = lengths_flaw(bytes.subspan(kHeadBytes), facts.rows, text, &lengths);
      !wrong.empty()) {
    return wrong;
  }
  const BytesView rest = bytes.subspan(kHeadBytes + lengths);
  if (align_up(packed, 8) != rest.size()) return "it has a wrong size";
  std::uint64_t unpacked = 0;
  if (!symbols_size(table, rest.first(packed), &unpacked) || unpacked != text)
    return "its packed text is another than it says";
  return all_zero(rest.subspan(packed)) ? "" : "a reserved byte is not zero";
}

std::uint64_t Text::decoded_bytes(const Parts& page, const PageFacts&) const {
  return load_le<std::uint32_t>(page.values.bytes.data());
}

void Text::decode(const Parts& page, const PageFacts& facts, const Room& to) const {
  const BytesView bytes = page.values.bytes;
  const std::uint64_t lengths = lengths_get(&bytes[kHeadBytes], facts.rows, to);
  const BytesView packed = bytes.subspan(kHeadBytes + lengths, load_le<std::uint32_t>(&bytes[4]));
  symbols_unpack(page.offsets.bytes, packed, to.values, decoded_bytes(page, facts));
}

}  // namespace

const Codec& text_codec() noexcept {
  static const Text codec;
  return codec;
}

}  // namespace otolith::codec
