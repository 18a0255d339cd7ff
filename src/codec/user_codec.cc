#include "codec/user_codec.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <string>

#include "base/error.h"
#include "base/limits.h"
#include "base/mutant.h"
#include "codec/lengths.h"
#include "codec/numbers.h"
#include "codec/registry.h"
#include "model/array.h"

namespace otolith::codec {

namespace {

constexpr std::size_t kHeadBytes = 16;
constexpr std::uint64_t kSampledPages = 1;  // of a chunk
constexpr std::size_t kLentAlignment = 8;   // of what a user's codec is handed

// The bytes where an offset or a number of 8 bytes may begin: where they are, or a copy. A file has
// them where its writer, who can be hostile, put them, and some machines stop at a number there.
Buffer aligned(BytesView bytes) {
  const auto at = reinterpret_cast<std::uintptr_t>(bytes.data());
  if (bytes.empty() || at % kLentAlignment == 0 || mutant("user-codec-unaligned"))
    return {nullptr, bytes};
  return buffer_of(Bytes(bytes.begin(), bytes.end()));
}

// The one place that calls a user's encode or decode: what leaves it is an Error that names the
// codec. Too little memory is no damage; `otherwise` is what any other exception is.
template <typename Call>
auto contained(std::string_view codec, std::string_view said, ErrorCode otherwise, Call call) {
  try {
    return call();
  } catch (const Error& error) {
    throw_error(error.code(), fmt::format("codec {} {}: {}", quoted(codec), said, error.message()),
                error.where());
  } catch (const std::bad_alloc&) {
    throw_error(mutant("user-codec-no-memory-is-damage") ? otherwise : ErrorCode::limit,
                "codec {} has no memory for a page; free some and try again", quoted(codec));
  } catch (const std::exception& error) {
    throw_error(otherwise, "codec {} {}: {}", quoted(codec), said, error.what());
  } catch (...) {
    throw_error(otherwise, "codec {} {}: an exception of a type that nobody knows", quoted(codec),
                said);
  }
}

class UserPages final : public Codec {
 public:
  explicit UserPages(std::unique_ptr<const UserCodec> codec) : codec_(std::move(codec)) {}

  CodecKey key() const noexcept override { return {CodecId{codec_->id()}, codec_->version()}; }
  std::string_view name() const noexcept override { return codec_->name(); }
  bool limits_text() const noexcept override { return true; }
  bool fits(Type type) const noexcept override {
    return type_supported(type) && (model::is_text(type) || type_width(type) != 0) &&
           codec_->fits(type);
  }

  std::optional<std::uint64_t> analyze(const Array& chunk) const override;
  EncodedChunk encode(const Array& chunk, std::uint32_t page_rows) const override;
  std::string_view flaw(const Parts& page, const PageFacts& facts) const override;
  std::uint64_t decoded_bytes(const Parts& page, const PageFacts& facts) const override;
  void decode(const Parts& page, const PageFacts& facts, const Room& to) const override;

 private:
  void put_page(const Array& chunk, std::uint64_t first, std::uint64_t rows, ByteWriter& out) const;
  Array rows_of(BytesView page, const PageFacts& facts) const;

  std::unique_ptr<const UserCodec> codec_;
};

// ---------------------------------------------------------------------------------------- analyze

std::optional<std::uint64_t> UserPages::analyze(const Array& chunk) const {
  return pages_estimate(chunk, kSampledPages,
                        [this](const Array& of, std::uint64_t first, std::uint64_t rows,
                               ByteWriter& out) { put_page(of, first, rows, out); });
}

// ----------------------------------------------------------------------------------------- encode

// What a user's codec gives back may be aligned anyhow.
std::int64_t offset_at(const Array& page, std::uint64_t row) noexcept {
  return load_le<std::int64_t>(page.offsets.bytes.data() + row * sizeof(std::int64_t));
}

std::uint64_t text_bytes(const Array& page) noexcept {
  if (!model::is_text(page.type)) return 0;
  return static_cast<std::uint64_t>(offset_at(page, page.length) - offset_at(page, 0));
}

void UserPages::put_page(const Array& chunk, std::uint64_t first, std::uint64_t rows,
                         ByteWriter& out) const {
  const Array page = model::array_slice(chunk, first, rows);  // whole blocks: aligned as the chunk
  const std::vector<std::byte> bytes =
      contained(codec_->name(), "could not encode a page", ErrorCode::invalid_argument,
                [&] { return codec_->encode(page); });
  out.put(text_bytes(page));
  out.put(std::uint64_t{bytes.size()});
  out.put_bytes(bytes);
  out.align(8);
}

EncodedChunk UserPages::encode(const Array& chunk, std::uint32_t page_rows) const {
  if (model::is_text(chunk.type) && text_too_long(chunk, page_rows)) {
    throw_error(ErrorCode::limit,
                "codec {} gets {} rows of text with more than 32 MiB (kPageTextBytesMax); give "
                "that column the codec raw",
                quoted(codec_->name()), page_rows);
  }
  return pages_encode(chunk, page_rows,
                      [this](const Array& of, std::uint64_t first, std::uint64_t rows,
                             ByteWriter& out) { put_page(of, first, rows, out); });
}

// ----------------------------------------------------------------------------------------- decode

// What is wrong with the rows a user's codec made of a page.
std::string_view rows_flaw(const Array& rows, const PageFacts& facts, std::uint64_t text) noexcept {
  if (rows.type != facts.type || rows.length != facts.rows)
    return "its codec decodes it to rows of another number or type";
  if (!model::is_text(facts.type)) {
    return rows.values.bytes.size() >= facts.rows * type_width(facts.type) ||
                   mutant("user-codec-size-unchecked")
               ? ""
               : "its codec decodes it to fewer bytes than its rows";
  }
  if (rows.offsets.bytes.size() < (facts.rows + 1) * sizeof(std::int64_t))
    return "its codec decodes it to fewer offsets than its rows";
  bool sound = offset_at(rows, 0) >= 0;
  for (std::uint64_t row = 0; row < facts.rows; ++row)
    sound &= offset_at(rows, row) <= offset_at(rows, row + 1);
  return sound &&
                 static_cast<std::uint64_t>(offset_at(rows, facts.rows)) <=
                     rows.values.bytes.size() &&
                 text_bytes(rows) == text
             ? ""
             : "its codec decodes it to offsets that do not fit its text";
}

Array UserPages::rows_of(BytesView page, const PageFacts& facts) const {
  const std::uint64_t bytes = load_le<std::uint64_t>(&page[8]);
  const Buffer lent = aligned(page.subspan(kHeadBytes, bytes));
  return contained(codec_->name(), "says", ErrorCode::corrupt,
                   [&] { return codec_->decode(lent.bytes, facts.type, facts.rows); });
}

std::string_view UserPages::flaw(const Parts& page, const PageFacts& facts) const {
  const BytesView bytes = page.values.bytes;
  if (!page.offsets.bytes.empty()) return "it shares what its codec does not know";
  if (bytes.size() < kHeadBytes) return "it is cut short";
  const std::uint64_t text = load_le<std::uint64_t>(&bytes[0]);
  const std::uint64_t stored = load_le<std::uint64_t>(&bytes[8]);
  if (text > kPageTextBytesMax) return kTextTooLong;
  if (text != 0 && !model::is_text(facts.type)) return "it says to have text and has none";
  if (stored > bytes.size() - kHeadBytes || align_up(kHeadBytes + stored, 8) != bytes.size())
    return "it has a wrong size";
  for (const std::byte byte : bytes.subspan(kHeadBytes + stored)) {
    if (byte != std::byte{0}) return "a reserved byte of it is not zero";
  }
  try {
    return rows_flaw(rows_of(bytes, facts), facts, text);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::corrupt) throw;
    thread_local std::string said;  // valid until the next page of this thread
    said = error.message();
    return said;
  }
}

std::uint64_t UserPages::decoded_bytes(const Parts& page, const PageFacts& facts) const {
  return model::is_text(facts.type) ? load_le<std::uint64_t>(page.values.bytes.data())
                                    : facts.rows * type_width(facts.type);
}

void UserPages::decode(const Parts& page, const PageFacts& facts, const Room& to) const {
  const Array rows = rows_of(page.values.bytes, facts);
  const std::uint64_t bytes = decoded_bytes(page, facts);
  const bool text = model::is_text(facts.type);
  if (const auto wrong = rows_flaw(rows, facts, text ? bytes : 0); !wrong.empty()) {
    throw_error(ErrorCode::corrupt, "codec {} decodes one page in two ways: {}", quoted(name()),
                wrong);
  }
  const std::int64_t first = text ? offset_at(rows, 0) : 0;
  if (bytes != 0) std::memcpy(to.values, rows.values.bytes.data() + first, bytes);
  for (std::uint64_t row = 0; text && row < facts.rows; ++row) {
    const std::int64_t end = offset_at(rows, row + 1) - first;
    store_le(to.offsets + row * sizeof(std::int64_t), to.text_at + static_cast<std::uint64_t>(end));
  }
}

}  // namespace

std::unique_ptr<const Codec> user_codec(std::unique_ptr<const UserCodec> codec) {
  return std::make_unique<UserPages>(std::move(codec));
}

}  // namespace otolith::codec

namespace otolith {

void codec_register(std::unique_ptr<const UserCodec> codec) {
  if (codec == nullptr) {
    throw_error(ErrorCode::invalid_argument, "codec_register was given no codec; pass one");
  }
  codec::codec_register(codec::user_codec(std::move(codec)));
}

}  // namespace otolith
