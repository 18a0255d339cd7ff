#include "codec/bodies.h"

#include <algorithm>

#include "base/limits.h"
#include "base/mutant.h"
#include "codec/body_dictionary.h"
#include "codec/compress.h"
#include "codec/lengths.h"
#include "codec/numbers.h"
#include "model/array.h"

namespace otolith::codec {

namespace {

constexpr std::size_t kHeadBytes = 8;  // of a page, and of what all share
constexpr std::size_t kEndBytes = sizeof(std::uint32_t);
constexpr std::uint64_t kBytesWorthDictionary = 128 << 10;  // of a chunk

class Bodies final : public Codec {
 public:
  CodecKey key() const noexcept override { return {CodecId::bodies, 1}; }
  std::string_view name() const noexcept override { return "bodies"; }
  bool fits(Type type) const noexcept override { return type.kind == TypeKind::binary; }
  bool limits_text() const noexcept override { return true; }
  bool tells_one() const noexcept override { return true; }

  std::optional<std::uint64_t> analyze(const Array& chunk) const override;
  EncodedChunk encode(const Array& chunk, std::uint32_t page_rows) const override;
  std::shared_ptr<const Prepared> prepare(BytesView shared) const override;
  std::string_view flaw(const Parts& page, const PageFacts& facts) const override;
  PagePart flaw_part(const Parts& page, const PageFacts& facts) const override;
  std::uint64_t decoded_bytes(const Parts& page, const PageFacts& facts) const override;
  void decode(const Parts& page, const PageFacts& facts, const Room& to) const override;
  std::uint64_t pick_at(std::uint64_t row) const noexcept override {
    return kHeadBytes + row * kEndBytes;
  }
  Picked pick(const Parts& page, const PageFacts& facts, std::uint64_t row,
              std::string& out) const override;
};

// ---------------------------------------------------------------------------------------- analyze

BytesView text_at(const Array& chunk, std::uint64_t row) noexcept {
  return chunk.is_null(row) ? BytesView() : as_bytes_view(chunk.text(row));
}

RowsEncoder rows_encoder(BodyPacker& packer) {
  return [&packer](const Array& chunk, std::uint64_t first, std::uint64_t rows, ByteWriter& out) {
    std::uint64_t plain = 0;
    ByteWriter packed;
    ByteWriter ends;
    for (std::uint64_t row = first; row < first + rows; ++row) {
      const BytesView text = text_at(chunk, row);
      plain += text.size();
      packer.put(text, packed);
      ends.put(static_cast<std::uint32_t>(packed.size()));
    }
    out.put(static_cast<std::uint32_t>(plain));
    out.put(static_cast<std::uint32_t>(packed.size()));
    out.put_bytes(ends.view());
    out.put_bytes(packed.view());
    out.align(8);
  };
}

Bytes shared_of(const Bytes& dictionary) {
  ByteWriter out;
  out.put(static_cast<std::uint32_t>(dictionary.size()));
  out.put_zeros(4);
  out.put_bytes(dictionary);
  out.align(8);
  return out.take();
}

std::optional<std::uint64_t> Bodies::analyze(const Array& chunk) const {
  if (chunk.length == 0) return std::nullopt;
  const auto* at = chunk.offsets.as<std::int64_t>();
  if (static_cast<std::uint64_t>(at[chunk.length] - at[0]) < kBytesWorthDictionary)
    return std::nullopt;
  const Bytes dictionary = body_dictionary(chunk);
  BodyPacker packer(dictionary);
  return shared_of(dictionary).size() + rows_estimate(chunk, rows_encoder(packer));
}

// ----------------------------------------------------------------------------------------- encode

EncodedChunk Bodies::encode(const Array& chunk, std::uint32_t page_rows) const {
  const Bytes dictionary = body_dictionary(chunk);
  BodyPacker packer(dictionary);
  EncodedChunk out = pages_encode(chunk, page_rows, rows_encoder(packer));
  out.offsets = buffer_of(shared_of(dictionary));
  return out;
}

// ----------------------------------------------------------------------------------------- decode

std::string_view shared_flaw(BytesView bytes) noexcept {
  if (bytes.size() < kHeadBytes) return "its dictionary is cut short";
  const std::uint64_t size = load_le<std::uint32_t>(bytes.data());
  if (size > kBodyDictionaryBytesMax || align_up(kHeadBytes + size, 8) != bytes.size())
    return "its dictionary has a wrong size";
  const bool zeros = all_zero(bytes.subspan(4, 4)) && all_zero(bytes.subspan(kHeadBytes + size));
  return zeros ? "" : "a reserved byte is not zero";
}

// The dictionary of any bytes.
class Unpacker final : public Prepared {
 public:
  explicit Unpacker(BytesView shared)
      : flaw_(shared_flaw(shared)), bodies_(dictionary(shared, flaw_.empty())) {
    if (flaw_.empty() && !bodies_.sound()) flaw_ = "its dictionary is none of zstd";
  }
  std::string_view flaw() const noexcept { return flaw_; }
  const BodyUnpacker& bodies() const noexcept { return bodies_; }
  std::uint64_t memory() const noexcept override { return bodies_.memory(); }

 private:
  static BytesView dictionary(BytesView shared, bool sound) noexcept {
    return sound ? shared.subspan(kHeadBytes, load_le<std::uint32_t>(shared.data())) : BytesView();
  }

  std::string_view flaw_;
  BodyUnpacker bodies_;
};

// That of the page, or one that is made for it.
class UnpackerOf {
 public:
  explicit UnpackerOf(const Parts& page) : of_(static_cast<const Unpacker*>(page.prepared.get())) {
    if (of_ == nullptr) of_ = &made_.emplace(page.offsets.bytes);
  }
  const Unpacker* operator->() const noexcept { return of_; }

 private:
  std::optional<Unpacker> made_;
  const Unpacker* of_;
};

std::shared_ptr<const Prepared> Bodies::prepare(BytesView shared) const {
  return std::make_shared<Unpacker>(shared);
}

// A page, as far as its head can be believed.
class Packed {
 public:
  Packed(BytesView page, std::uint64_t rows) noexcept : page_(page), rows_(rows) {}

  /// Of the head, which is what one row needs.
  std::string_view head_flaw() const noexcept {
    if (page_.size() < before()) return "it is cut short";
    if (plain() > kPageTextBytesMax && !mutant("bodies-unlimited")) return kTextTooLong;
    return align_up(before() + stored(), 8) == page_.size() ? "" : "it has a wrong size";
  }
  std::string_view flaw() const noexcept {
    if (const auto wrong = head_flaw(); !wrong.empty()) return wrong;
    return all_zero(page_.subspan(before() + stored())) ? "" : "a reserved byte is not zero";
  }
  std::uint64_t plain() const noexcept { return load_le<std::uint32_t>(&page_[0]); }
  std::uint64_t stored() const noexcept { return load_le<std::uint32_t>(&page_[4]); }
  std::uint64_t end(std::uint64_t row) const noexcept {
    return load_le<std::uint32_t>(&page_[kHeadBytes + row * kEndBytes]);
  }
  /// nullopt where the ends of this row and the one before it are not in order.
  std::optional<BytesView> row(std::uint64_t row) const noexcept {
    const std::uint64_t first = row == 0 ? 0 : end(row - 1);
    if ((end(row) < first || end(row) > stored()) && !mutant("bodies-ends-unchecked"))
      return std::nullopt;
    return page_.subspan(before() + first, end(row) - first);
  }

 private:
  std::uint64_t before() const noexcept { return kHeadBytes + rows_ * kEndBytes; }

  BytesView page_;
  std::uint64_t rows_;
};

std::string_view Bodies::flaw(const Parts& page, const PageFacts& facts) const {
  const UnpackerOf unpacker(page);
  if (!unpacker->flaw().empty()) return unpacker->flaw();
  const Packed packed(page.values.bytes, facts.rows);
  if (const auto wrong = packed.flaw(); !wrong.empty()) return wrong;
  std::uint64_t left = packed.plain();
  Bytes room;
  for (std::uint64_t row = 0; row < facts.rows; ++row) {
    const auto text = packed.row(row);
    if (!text) return "the ends of its texts are not in order";
    const auto size = unpacker->bodies().size(*text);
    if (!size || (*size > left && !mutant("bodies-size-unchecked")) ||
        (*size == 0) != text->empty()) {
      return "its texts have another size than it says";
    }
    room.resize(std::max<std::uint64_t>(room.size(), *size));
    if (!unpacker->bodies().get(*text, room.data(), *size))
      return "its compressed bytes do not give what they say";
    left -= *size;
  }
  if (left != 0) return "its texts have another size than it says";
  return packed.end(facts.rows - 1) == packed.stored() ? "" : "there are bytes behind its texts";
}

PagePart Bodies::flaw_part(const Parts& page, const PageFacts&) const {
  return UnpackerOf(page)->flaw().empty() ? PagePart::values : PagePart::offsets;
}

std::uint64_t Bodies::decoded_bytes(const Parts& page, const PageFacts&) const {
  return load_le<std::uint32_t>(page.values.bytes.data());
}

void Bodies::decode(const Parts& page, const PageFacts& facts, const Room& to) const {
  const UnpackerOf unpacker(page);
  const Packed packed(page.values.bytes, facts.rows);
  std::uint64_t at = 0;
  for (std::uint64_t row = 0; row < facts.rows; ++row) {
    const BytesView text = packed.row(row).value_or(BytesView());
    const std::uint64_t size = unpacker->bodies().size(text).value_or(UINT64_MAX);
    if (size > packed.plain() - at || !unpacker->bodies().get(text, to.values + at, size))
      bytes_changed();
    at += size;
    store_le(to.offsets + row * sizeof(std::int64_t), to.text_at + at);
  }
}

Picked Bodies::pick(const Parts& page, const PageFacts& facts, std::uint64_t row,
                    std::string& out) const {
  const UnpackerOf unpacker(page);
  const Packed packed(page.values.bytes, facts.rows);
  if (!unpacker->flaw().empty() || !packed.head_flaw().empty()) return Picked::flawed;
  const auto text = packed.row(row);
  const bool sound = text && unpacker->bodies().get(*text, packed.plain(), out);
  return sound ? Picked::told : Picked::flawed;
}

}  // namespace

const Codec& bodies_codec() noexcept {
  static const Bodies codec;
  return codec;
}

}  // namespace otolith::codec
