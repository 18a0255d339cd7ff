#include "codec/bitmap.h"

#include "base/mutant.h"
#include "codec/numbers.h"
#include "model/array.h"
#include "model/bools.h"

namespace otolith::codec {

namespace {

std::uint64_t page_bytes(std::uint64_t rows) noexcept {
  return align_up(model::bitmap_bytes(rows), 8);
}

class Bitmap final : public Codec {
 public:
  CodecKey key() const noexcept override { return {CodecId::bitmap, 1}; }
  std::string_view name() const noexcept override { return "bitmap"; }
  bool fits(Type type) const noexcept override { return type == Type{TypeKind::boolean}; }

  std::optional<std::uint64_t> analyze(const Array& chunk) const override;
  EncodedChunk encode(const Array& chunk, std::uint32_t page_rows) const override;
  std::string_view flaw(const Parts& page, const PageFacts& facts) const override;
  void decode(const Parts& page, const PageFacts& facts, const Room& to) const override;
  bool select(const Parts& page, const PageFacts& facts, const model::Criterion& test,
              std::uint64_t* bits) const override;
};

// ---------------------------------------------------------------------------------------- analyze

std::optional<std::uint64_t> Bitmap::analyze(const Array& chunk) const {
  return page_bytes(chunk.length);
}

// ----------------------------------------------------------------------------------------- encode

EncodedChunk Bitmap::encode(const Array& chunk, std::uint32_t page_rows) const {
  return pages_encode(
      chunk, page_rows,
      [](const Array& of, std::uint64_t first, std::uint64_t count, ByteWriter& out) {
        Bytes bits(page_bytes(count));
        model::bools_pack(of, first, count, bits.data());
        out.put_bytes(bits);
      });
}

// ----------------------------------------------------------------------------------------- decode

std::string_view Bitmap::flaw(const Parts& page, const PageFacts& facts) const {
  if (!page.offsets.bytes.empty()) return "it shares what its codec does not know";
  const BytesView bytes = page.values.bytes;
  if (bytes.size() != page_bytes(facts.rows)) return "its values have a wrong size";
  for (std::uint64_t bit = facts.rows; bit < bytes.size() * 8; ++bit) {
    if (((std::to_integer<unsigned>(bytes[bit / 8]) >> (bit % 8)) & 1u) != 0 &&
        !mutant("bitmap-end-unchecked")) {
      return "its bits go beyond its rows";
    }
  }
  return {};
}

void Bitmap::decode(const Parts& page, const PageFacts& facts, const Room& to) const {
  model::bools_unpack(page.values.bytes.data(), 0, facts.rows, to.values);
}

bool Bitmap::select(const Parts& page, const PageFacts& facts, const model::Criterion& test,
                    std::uint64_t* bits) const {
  const std::uint64_t of_true = test.holds(Int128{1}) ? ~0ull : 0;
  const std::uint64_t of_false = test.holds(Int128{0}) ? ~0ull : 0;
  for (std::uint64_t i = 0; i < model::bit_words(facts.rows); ++i) {
    const auto word = load_le<std::uint64_t>(page.values.bytes.data() + i * sizeof(std::uint64_t));
    bits[i] = (word & of_true) | (~word & of_false);
  }
  model::cut_bits(facts.rows, bits);
  return true;
}

}  // namespace

const Codec& bitmap_codec() noexcept {
  static const Bitmap codec;
  return codec;
}

}  // namespace otolith::codec
