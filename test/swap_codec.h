// A codec of a user, for tests: not mappable, every page one blob of swapped bytes.
//
// Role:    shows that the shape holds for codecs that encode: pages, places, decoding, versions.
// Shapes:  a page is its plain parts (validity, lengths of text, values), each byte complemented.
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
  bool mappable() const noexcept override { return false; }
  bool fits(Type type) const noexcept override { return type_supported(type); }
  std::uint64_t analyze(const Array& sample) const override { return encode_page(sample).size(); }

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
    const std::uint64_t least =
        model::bitmap_bytes(facts.rows) +
        (model::is_text(facts.type) ? 8 : type_width(facts.type)) * facts.rows;
    const std::uint64_t bytes = page.values.bytes.size();
    return bytes < least || (!model::is_text(facts.type) && bytes > least) ? "wrong size" : "";
  }

  Array decode(const codec::Parts& page, const codec::PageFacts& facts) const override {
    Bytes plain(page.values.bytes.begin(), page.values.bytes.end());
    for (std::byte& byte : plain) byte = ~byte;
    const std::byte* at = plain.data();
    const std::byte* validity = at;
    at += model::bitmap_bytes(facts.rows);
    model::ArrayBuilder builder(facts.type);
    const std::uint64_t width = model::is_text(facts.type) ? 8 : type_width(facts.type);
    const std::byte* text = at + width * facts.rows;
    for (std::uint64_t row = 0; row < facts.rows; ++row, at += width) {
      const bool valid = ((std::to_integer<unsigned>(validity[row / 8]) >> (row % 8)) & 1u) != 0;
      const std::uint64_t bytes = model::is_text(facts.type) ? load_le<std::uint64_t>(at) : 0;
      if (!valid)
        builder.append_null();
      else if (!model::is_text(facts.type))
        builder.append({at, width});
      else
        builder.append_text(as_text({text, bytes}));
      text += bytes;
    }
    return builder.finish();
  }

 private:
  static Bytes encode_page(const Array& page) {
    Bytes out(model::bitmap_bytes(page.length));
    for (std::uint64_t row = 0; row < page.length; ++row) {
      if (!page.is_null(row)) out[row / 8] |= static_cast<std::byte>(1u << (row % 8));
    }
    Bytes text;
    for (std::uint64_t row = 0; row < page.length; ++row) append_value(page, row, out, text);
    out.insert(out.end(), text.begin(), text.end());
    for (std::byte& byte : out) byte = ~byte;
    return out;
  }

  static void append_value(const Array& page, std::uint64_t row, Bytes& out, Bytes& text) {
    const std::uint64_t width = model::is_text(page.type) ? 8 : type_width(page.type);
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
