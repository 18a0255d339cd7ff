#include "codec/compress.h"

#include <lz4.h>
#include <zstd.h>

#include <memory>

#include "base/error.h"
#include "base/mutant.h"

namespace otolith::codec {

namespace {

struct Free {
  void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
};

[[noreturn]] void no_memory(const char* library) {
  throw_error(ErrorCode::limit, "{} has no memory for a page; free some and try again", library);
}

}  // namespace

std::size_t zstd_put(BytesView bytes, ByteWriter& out) {
  thread_local std::unique_ptr<ZSTD_CCtx, Free> context;
  if (context == nullptr) context.reset(ZSTD_createCCtx());
  Bytes frame(ZSTD_compressBound(bytes.size()));
  if (context == nullptr) no_memory("zstd");
  const std::size_t size = ZSTD_compressCCtx(context.get(), frame.data(), frame.size(),
                                             bytes.data(), bytes.size(), kZstdLevel);
  if (ZSTD_isError(size) != 0) no_memory("zstd");
  out.put_bytes(BytesView(frame).first(size));
  return size;
}

bool zstd_get(BytesView bytes, std::byte* out, std::size_t size) {
  thread_local std::unique_ptr<ZSTD_DCtx, Free> context;
  if (context == nullptr) context.reset(ZSTD_createDCtx());
  if (context == nullptr && mutant("zstd-poor-is-damage")) return false;
  if (context == nullptr) no_memory("zstd");  // and neither damage nor zeros
  if (ZSTD_getFrameContentSize(bytes.data(), bytes.size()) != size ||
      ZSTD_findFrameCompressedSize(bytes.data(), bytes.size()) != bytes.size()) {
    return false;
  }
  return ZSTD_decompressDCtx(context.get(), out, size, bytes.data(), bytes.size()) == size;
}

std::size_t lz4_put(BytesView bytes, ByteWriter& out) {
  if (bytes.size() > LZ4_MAX_INPUT_SIZE) no_memory("LZ4");
  Bytes block(static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(bytes.size()))));
  const int size = LZ4_compress_default(
      reinterpret_cast<const char*>(bytes.data()), reinterpret_cast<char*>(block.data()),
      static_cast<int>(bytes.size()), static_cast<int>(block.size()));
  if (size <= 0) no_memory("LZ4");
  out.put_bytes(BytesView(block).first(static_cast<std::size_t>(size)));
  return static_cast<std::size_t>(size);
}

void bytes_changed() {
  throw_error(ErrorCode::corrupt,
              "the bytes of a compressed page changed after they were verified: something else "
              "writes to the file; restore it from another copy");
}

bool lz4_get(BytesView bytes, std::byte* out, std::size_t size) noexcept {
  if (bytes.size() > INT32_MAX || size > INT32_MAX) return false;
  return LZ4_decompress_safe(reinterpret_cast<const char*>(bytes.data()),
                             reinterpret_cast<char*>(out), static_cast<int>(bytes.size()),
                             static_cast<int>(size)) == static_cast<int>(size);
}

}  // namespace otolith::codec
