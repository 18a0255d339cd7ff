#include "codec/pressed.h"

#include <algorithm>
#include <memory>

#include "base/limits.h"
#include "codec/compress.h"
#include "codec/lengths.h"
#include "codec/numbers.h"
#include "model/array.h"

namespace otolith::codec {

namespace {

constexpr std::size_t kHeadBytes = 8;
constexpr std::uint64_t kSampledPages = 1;  // of a chunk

class Pressed final : public Codec {
 public:
  explicit Pressed(bool dense) : dense_(dense) {}

  CodecKey key() const noexcept override { return {dense_ ? CodecId::zstd : CodecId::lz4, 1}; }
  std::string_view name() const noexcept override { return dense_ ? "zstd" : "lz4"; }
  bool dense() const noexcept override { return dense_; }
  bool limits_text() const noexcept override { return true; }
  bool fits(Type type) const noexcept override {
    return type_supported(type) && (model::is_text(type) || type_width(type) != 0);
  }

  std::optional<std::uint64_t> analyze(const Array& chunk) const override;
  EncodedChunk encode(const Array& chunk, std::uint32_t page_rows) const override;
  std::string_view flaw(const Parts& page, const PageFacts& facts) const override;
  std::uint64_t decoded_bytes(const Parts& page, const PageFacts& facts) const override;
  void decode(const Parts& page, const PageFacts& facts, const Room& to) const override;

 private:
  void put_page(const Array& chunk, std::uint64_t first, std::uint64_t rows, ByteWriter& out) const;
  bool get(BytesView stored, std::byte* out, std::uint64_t size) const {
    return dense_ ? zstd_get(stored, out, size) : lz4_get(stored, out, size);
  }

  bool dense_;
};

// ---------------------------------------------------------------------------------------- analyze

std::optional<std::uint64_t> Pressed::analyze(const Array& chunk) const {
  return pages_estimate(chunk, kSampledPages,
                        [this](const Array& of, std::uint64_t first, std::uint64_t rows,
                               ByteWriter& out) { put_page(of, first, rows, out); });
}

// ----------------------------------------------------------------------------------------- encode

Bytes plain_of(const Array& chunk, std::uint64_t first, std::uint64_t rows) {
  if (model::is_text(chunk.type)) return text_joined(chunk, first, rows);
  Bytes out(rows * type_width(chunk.type));
  model::copy_plain_values(chunk, first, rows, out.data());
  return out;
}

void Pressed::put_page(const Array& chunk, std::uint64_t first, std::uint64_t rows,
                       ByteWriter& out) const {
  const Bytes plain = plain_of(chunk, first, rows);
  ByteWriter stored;
  if (!plain.empty()) dense_ ? zstd_put(plain, stored) : lz4_put(plain, stored);
  out.put(static_cast<std::uint32_t>(plain.size()));
  out.put(static_cast<std::uint32_t>(stored.size()));
  if (model::is_text(chunk.type)) lengths_put(chunk, first, rows, out);
  out.put_bytes(stored.view());
  out.align(8);
}

EncodedChunk Pressed::encode(const Array& chunk, std::uint32_t page_rows) const {
  return pages_encode(chunk, page_rows,
                      [this](const Array& of, std::uint64_t first, std::uint64_t rows,
                             ByteWriter& out) { put_page(of, first, rows, out); });
}

// ----------------------------------------------------------------------------------------- decode

std::string_view Pressed::flaw(const Parts& page, const PageFacts& facts) const {
  const BytesView bytes = page.values.bytes;
  if (!page.offsets.bytes.empty()) return "it shares what its codec does not know";
  if (bytes.size() < kHeadBytes) return "it is cut short";
  const std::uint64_t plain = load_le<std::uint32_t>(&bytes[0]);
  const std::uint64_t stored = load_le<std::uint32_t>(&bytes[4]);
  std::uint64_t at = kHeadBytes;
  if (model::is_text(facts.type)) {
    std::uint64_t lengths = 0;
    if (const auto wrong = lengths_flaw(bytes.subspan(at), facts.rows, plain, &lengths);
        !wrong.empty()) {
      return wrong;
    }
    at += lengths;
  } else if (plain != facts.rows * type_width(facts.type)) {
    return "its values have another size than its rows";
  }
  const BytesView rest = bytes.subspan(at);
  if (align_up(stored, 8) != rest.size()) return "it has a wrong size";
  if ((plain == 0) != (stored == 0)) return "nothing is stored of something";
  const auto room = std::make_unique_for_overwrite<std::byte[]>(plain);
  if (plain != 0 && !get(rest.first(stored), room.get(), plain))
    return "its compressed bytes do not give what it says";
  return all_zero(rest.subspan(stored)) ? "" : "a reserved byte is not zero";
}

std::uint64_t Pressed::decoded_bytes(const Parts& page, const PageFacts&) const {
  return load_le<std::uint32_t>(page.values.bytes.data());
}

void Pressed::decode(const Parts& page, const PageFacts& facts, const Room& to) const {
  const BytesView bytes = page.values.bytes;
  const std::uint64_t plain = load_le<std::uint32_t>(&bytes[0]);
  const std::uint64_t stored = load_le<std::uint32_t>(&bytes[4]);
  const std::uint64_t lengths =
      model::is_text(facts.type) ? lengths_get(&bytes[kHeadBytes], facts.rows, to) : 0;
  if (plain != 0 && !get(bytes.subspan(kHeadBytes + lengths, stored), to.values, plain))
    bytes_changed();
}

}  // namespace

const Codec& lz4_codec() noexcept {
  static const Pressed codec(false);
  return codec;
}

const Codec& zstd_codec() noexcept {
  static const Pressed codec(true);
  return codec;
}

}  // namespace otolith::codec
