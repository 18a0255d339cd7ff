#include "codec/body_dictionary.h"

#include <zdict.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "codec/compress.h"
#include "model/array.h"

namespace otolith::codec {

namespace {

constexpr std::size_t kMagicBytes = sizeof(std::uint32_t);
constexpr std::size_t kSampleBytes = 256 << 10;
constexpr std::size_t kSampleBytesMin = 4096;
constexpr std::size_t kSampleTextBytes = 4096;  // of one text
constexpr std::uint64_t kSampleRows = 1024;

struct Free {
  void operator()(ZSTD_CCtx* of) const noexcept { ZSTD_freeCCtx(of); }
  void operator()(ZSTD_DCtx* of) const noexcept { ZSTD_freeDCtx(of); }
  void operator()(ZSTD_CDict* of) const noexcept { ZSTD_freeCDict(of); }
  void operator()(ZSTD_DDict* of) const noexcept { ZSTD_freeDDict(of); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

[[noreturn]] void no_memory() {
  throw_error(ErrorCode::limit, "zstd has no memory for a text; free some and try again");
}

// What a thread unpacks with: a frame as zstd wants it, behind its magic.
struct Unpacking {
  Owned<ZSTD_DCtx> context{};
  Bytes frame{};

  ZSTD_DCtx* ready() {
    if (context == nullptr) context.reset(ZSTD_createDCtx());
    if (context == nullptr) no_memory();
    return context.get();
  }

  BytesView whole(BytesView packed) {
    if (frame.size() < kMagicBytes + packed.size()) frame.resize(kMagicBytes + packed.size());
    store_le<std::uint32_t>(frame.data(), ZSTD_MAGICNUMBER);
    std::ranges::copy(packed, frame.begin() + kMagicBytes);
    return BytesView(frame).first(kMagicBytes + packed.size());
  }
};

Unpacking& unpacking() {
  thread_local Unpacking mine;
  return mine;
}

// Texts of rows all over a chunk, one behind another.
struct Sample {
  Bytes text;
  std::vector<std::size_t> sizes;
};

Sample sample_of(const Array& chunk) {
  Sample out;
  const std::uint64_t step = std::max<std::uint64_t>(1, chunk.length / kSampleRows);
  for (std::uint64_t row = 0; row < chunk.length && out.text.size() < kSampleBytes; row += step) {
    if (chunk.is_null(row)) continue;
    const BytesView all = as_bytes_view(chunk.text(row));
    const BytesView text = all.first(std::min(kSampleTextBytes, all.size()));
    if (text.empty()) continue;
    out.text.insert(out.text.end(), text.begin(), text.end());
    out.sizes.push_back(text.size());
  }
  return out;
}

// Whether bytes are a dictionary, asked without making one.
bool is_dictionary(BytesView bytes) {
  constexpr std::array<std::uint8_t, 9> kEmptyFrame{0x28, 0xB5, 0x2F, 0xFD, 0x20, 0, 1, 0, 0};
  ZSTD_DCtx* const context = unpacking().ready();
  return ZSTD_isError(ZSTD_decompress_usingDict(context, nullptr, 0, kEmptyFrame.data(),
                                                kEmptyFrame.size(), bytes.data(), bytes.size())) ==
         0;
}

}  // namespace

Bytes body_dictionary(const Array& chunk) {
  const Sample sample = sample_of(chunk);
  if (sample.text.size() < kSampleBytesMin) return {};
  Bytes out(kBodyDictionaryBytes);
  // What is near the end is cheapest to point at, and as good as any other part.
  const std::size_t content = std::min(sample.text.size() / 2, out.size());
  const ZDICT_params_t params{.compressionLevel = kZstdLevel, .notificationLevel = 0, .dictID = 1};
  const std::size_t size = ZDICT_finalizeDictionary(
      out.data(), out.size(), sample.text.data(), content, sample.text.data(), sample.sizes.data(),
      static_cast<unsigned>(sample.sizes.size()), params);
  out.resize(ZDICT_isError(size) != 0 ? 0 : size);
  return out;
}

struct BodyPacker::State {
  Owned<ZSTD_CDict> dictionary;
  Owned<ZSTD_CCtx> context{ZSTD_createCCtx()};
  Bytes frame{};
};

BodyPacker::BodyPacker(BytesView dictionary) : state_(std::make_unique<State>()) {
  state_->dictionary.reset(ZSTD_createCDict(dictionary.data(), dictionary.size(), kZstdLevel));
  ZSTD_CCtx* const context = state_->context.get();
  if (context == nullptr || state_->dictionary == nullptr) no_memory();
  ZSTD_CCtx_setParameter(context, ZSTD_c_dictIDFlag, 0);
  ZSTD_CCtx_refCDict(context, state_->dictionary.get());
}
BodyPacker::~BodyPacker() = default;

void BodyPacker::put(BytesView text, ByteWriter& out) {
  if (text.empty()) return;
  Bytes& frame = state_->frame;
  frame.resize(std::max(frame.size(), ZSTD_compressBound(text.size())));
  const std::size_t size =
      ZSTD_compress2(state_->context.get(), frame.data(), frame.size(), text.data(), text.size());
  if (ZSTD_isError(size) != 0) no_memory();
  out.put_bytes(BytesView(frame).subspan(kMagicBytes, size - kMagicBytes));
}

struct BodyUnpacker::State {
  Owned<ZSTD_DDict> dictionary;
};

BodyUnpacker::BodyUnpacker(BytesView dictionary) : state_(std::make_unique<State>()) {
  state_->dictionary.reset(ZSTD_createDDict(dictionary.data(), dictionary.size()));
  if (!state_->dictionary && is_dictionary(dictionary)) no_memory();
}
BodyUnpacker::~BodyUnpacker() = default;

bool BodyUnpacker::sound() const noexcept { return state_->dictionary != nullptr; }

std::uint64_t BodyUnpacker::memory() const noexcept {
  return sizeof(State) + ZSTD_sizeof_DDict(state_->dictionary.get());
}

namespace {

// The size that a frame claims; nullopt where bytes are not one frame that says it.
std::optional<std::uint64_t> frame_size(BytesView frame) noexcept {
  const std::uint64_t size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  const bool one = size != ZSTD_CONTENTSIZE_UNKNOWN && size != ZSTD_CONTENTSIZE_ERROR &&
                   ZSTD_findFrameCompressedSize(frame.data(), frame.size()) == frame.size();
  return one ? std::optional(size) : std::nullopt;
}

bool unpack(ZSTD_DCtx* context, BytesView frame, const ZSTD_DDict* dictionary, std::byte* out,
            std::uint64_t size) noexcept {
  return ZSTD_decompress_usingDDict(context, out, size, frame.data(), frame.size(), dictionary) ==
         size;
}

}  // namespace

std::optional<std::uint64_t> BodyUnpacker::size(BytesView packed) const {
  if (packed.empty()) return 0;
  return frame_size(unpacking().whole(packed));
}

bool BodyUnpacker::get(BytesView packed, std::byte* out, std::uint64_t size) const {
  if (packed.empty()) return size == 0;
  Unpacking& mine = unpacking();
  ZSTD_DCtx* const context = mine.ready();
  return unpack(context, mine.whole(packed), state_->dictionary.get(), out, size);
}

bool BodyUnpacker::get(BytesView packed, std::uint64_t bytes_max, std::string& out) const {
  out.clear();
  if (packed.empty()) return true;
  Unpacking& mine = unpacking();
  ZSTD_DCtx* const context = mine.ready();
  const BytesView frame = mine.whole(packed);
  const auto size = frame_size(frame);
  if (!size || *size > bytes_max) return false;
  bool sound = false;
  // A string that grows may say a larger size than it was asked for (libstdc++ 12).
  out.resize_and_overwrite(*size, [&](char* to, std::size_t) {
    sound =
        unpack(context, frame, state_->dictionary.get(), reinterpret_cast<std::byte*>(to), *size);
    return sound ? *size : 0;
  });
  return sound;
}

}  // namespace otolith::codec
