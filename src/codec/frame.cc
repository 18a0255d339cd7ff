#include "codec/frame.h"

#include "codec/numbers.h"
#include "codec/select.h"
#include "model/array.h"

namespace otolith::codec {

namespace {

class Frame final : public Codec {
 public:
  Frame(CodecId id, std::string_view name, unsigned order_max)
      : id_(id), name_(name), order_max_(order_max) {}

  CodecKey key() const noexcept override { return {id_, 1}; }
  std::string_view name() const noexcept override { return name_; }
  bool fits(Type type) const noexcept override { return is_integer(type); }

  std::optional<std::uint64_t> analyze(const Array& chunk) const override;
  EncodedChunk encode(const Array& chunk, std::uint32_t page_rows) const override;
  std::string_view flaw(const Parts& page, const PageFacts& facts) const override;
  void decode(const Parts& page, const PageFacts& facts, const Room& to) const override;
  bool select(const Parts& page, const PageFacts& facts, const model::Criterion& test,
              std::uint64_t* bits) const override;
  bool gather(const Parts& page, const PageFacts& facts, const WantedRows& rows,
              std::byte* out) const override;

 private:
  BlockPages pages() const {
    return {.block = [order_max = order_max_](const std::uint64_t* values, std::uint64_t count,
                                              std::byte* out) {
      return block_encode(values, count, order_max, out);
    }};
  }

  CodecId id_;
  std::string_view name_;
  unsigned order_max_;
};

// ---------------------------------------------------------------------------------------- analyze

std::optional<std::uint64_t> Frame::analyze(const Array& chunk) const {
  return blocks_estimate(chunk, pages());
}

// ----------------------------------------------------------------------------------------- encode

EncodedChunk Frame::encode(const Array& chunk, std::uint32_t page_rows) const {
  return blocks_encode(chunk, page_rows, pages());
}

// ----------------------------------------------------------------------------------------- decode

std::string_view Frame::flaw(const Parts& page, const PageFacts& facts) const {
  if (!page.offsets.bytes.empty()) return "it shares what its codec does not know";
  return blocks_flaw(page.values.bytes, facts,
                     [&](BytesView rest, std::uint64_t count, std::uint64_t* taken) {
                       return block_flaw(rest, count, order_max_, taken);
                     });
}

void Frame::decode(const Parts& page, const PageFacts& facts, const Room& to) const {
  const std::byte* at = page.values.bytes.data();
  const std::uint32_t width = type_width(facts.type);
  for_each_block(facts.rows, [&](std::uint64_t first, std::uint64_t count) {
    at += block_numbers(at, count, width, to.values + first * width);
  });
}

bool Frame::select(const Parts& page, const PageFacts& facts, const model::Criterion& test,
                   std::uint64_t* bits) const {
  if (!is_selectable(test)) return false;
  const IntegerTest asked = integer_test(test);
  const std::byte* at = page.values.bytes.data();
  for_each_block(facts.rows, [&](std::uint64_t first, std::uint64_t count) {
    at += block_select(at, count, asked, bits + first / 64);
  });
  return true;
}

bool Frame::gather(const Parts& page, const PageFacts& facts, const WantedRows& rows,
                   std::byte* out) const {
  blocks_gather(
      page.values.bytes.data(), facts, rows, out,
      [](const std::byte* at, std::uint64_t count) { return block_bytes(at, count); },
      [width = type_width(facts.type)](const std::byte* at, std::uint64_t count, std::byte* to) {
        return block_numbers(at, count, width, to);
      });
  return true;
}

}  // namespace

const Codec& frame_codec() noexcept {
  static const Frame codec(CodecId::frame, "frame", 0);
  return codec;
}

const Codec& delta_codec() noexcept {
  static const Frame codec(CodecId::delta, "delta", kOrderMax);
  return codec;
}

}  // namespace otolith::codec
