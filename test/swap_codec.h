// A codec of a user, for tests: not mappable, every page one blob of swapped bytes.
//
// Role:    shows that the shape holds for codecs that encode: pages, places, decoding, versions.
// Shapes:  a page is its plain values (of text the lengths, then the bytes), each byte
//          complemented.
// Errors:  none; flaw() judges sizes.
// Threads: immutable.
#pragma once

#include <algorithm>
#include <cstring>

#include "codec/registry.h"
#include "model/array.h"
#include "otolith/batch.h"

namespace otolith::test {

inline constexpr codec::CodecKey kSwapCodec{codec::CodecId{codec::kUserCodecFirst + 7}, 3};

class SwapCodec final : public codec::Codec {
 public:
  codec::CodecKey key() const noexcept override { return kSwapCodec; }
  std::string_view name() const noexcept override { return "swap"; }
  bool fits(Type type) const noexcept override { return type_supported(type); }
  std::optional<std::uint64_t> analyze(const Array& chunk) const override {
    return encode_page(chunk).size();
  }

  codec::EncodedChunk encode(const Array& chunk, std::uint32_t page_rows) const override {
    codec::EncodedChunk out;
    Bytes all;
    for (std::uint64_t row = 0; row < chunk.length; row += page_rows) {
      const std::uint64_t rows = std::min<std::uint64_t>(page_rows, chunk.length - row);
      const Bytes page = encode_page(model::array_slice(chunk, row, rows));
      out.pages.push_back({all.size(), page.size()});
      all.insert(all.end(), page.begin(), page.end());
    }
    out.values = buffer_of(std::move(all));
    return out;
  }

  std::string_view flaw(const codec::Parts& page, const codec::PageFacts& facts) const override {
    const std::uint64_t bytes = page.values.bytes.size();
    const std::uint64_t least = unit_bytes(facts.type) * facts.rows;
    if (!model::is_text(facts.type)) return bytes == least ? "" : "wrong size";
    if (bytes < least) return "wrong size";
    std::uint64_t text = 0;
    for (std::uint64_t row = 0; row < facts.rows; ++row) {
      const std::uint64_t one = text_bytes(page, row);
      if (one > bytes - least) return "wrong size";
      text += one;
    }
    return text == bytes - least ? "" : "wrong size";
  }

  std::uint64_t decoded_bytes(const codec::Parts& page,
                              const codec::PageFacts& facts) const override {
    const std::uint64_t lengths = model::is_text(facts.type) ? 8 * facts.rows : 0;
    return page.values.bytes.size() - lengths;
  }

  void decode(const codec::Parts& page, const codec::PageFacts& facts,
              const codec::Room& to) const override {
    const std::uint64_t bytes = decoded_bytes(page, facts);
    const BytesView values = page.values.bytes.last(bytes);
    for (std::uint64_t i = 0; i < bytes; ++i) to.values[i] = ~values[i];
    if (!model::is_text(facts.type)) return;
    std::uint64_t end = to.text_at;
    for (std::uint64_t row = 0; row < facts.rows; ++row) {
      end += text_bytes(page, row);
      store_le(to.offsets + row * 8, end);
    }
  }

 private:
  static std::uint64_t unit_bytes(Type type) { return model::is_text(type) ? 8 : type_width(type); }
  static std::uint64_t text_bytes(const codec::Parts& page, std::uint64_t row) {
    return ~load_le<std::uint64_t>(&page.values.bytes[row * 8]);
  }

  static Bytes encode_page(const Array& page) {
    Bytes out;
    Bytes text;
    for (std::uint64_t row = 0; row < page.length; ++row) append_value(page, row, out, text);
    out.insert(out.end(), text.begin(), text.end());
    for (std::byte& byte : out) byte = ~byte;
    return out;
  }

  static void append_value(const Array& page, std::uint64_t row, Bytes& out, Bytes& text) {
    const std::uint64_t width = unit_bytes(page.type);
    const std::size_t at = out.size();
    out.resize(at + width);
    if (page.is_null(row)) return;
    if (!model::is_text(page.type)) {
      std::memcpy(&out[at], page.values.bytes.data() + row * width, width);
      return;
    }
    const BytesView value = as_bytes_view(page.text(row));
    store_le<std::uint64_t>(&out[at], value.size());
    text.insert(text.end(), value.begin(), value.end());
  }
};

}  // namespace otolith::test
