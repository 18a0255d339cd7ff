// Any bytes as one page of a codec.
//
// Role:    body of the harnesses src/codec/fuzz_*.cc, and of the test that makes their seeds.
// Shapes:  type kind u8 | rows, from 1, u16 | bytes of what pages share u16 | that | the page.
// Errors:  aborts where a page without flaw writes beside its room.
// Threads: thread-safe.
#pragma once

#include <cstdint>
#include <cstdlib>

#include "base/limits.h"
#include "test/pages.h"

namespace otolith::test {

inline constexpr std::size_t kFuzzHeadBytes = 5;

inline Bytes fuzz_input(const codec::PageFacts& facts, BytesView shared, BytesView page) {
  ByteWriter out;
  out.put(facts.type.kind);
  out.put(static_cast<std::uint16_t>(facts.rows - 1));
  out.put(static_cast<std::uint16_t>(shared.size()));
  out.put_bytes(shared);
  out.put_bytes(page);
  return out.take();
}

inline void fuzz_page(const codec::Codec& codec, const std::uint8_t* data, std::size_t size) {
  const BytesView bytes = std::as_bytes(std::span(data, size));
  if (size < kFuzzHeadBytes) return;
  Type type{static_cast<TypeKind>(load_le<std::uint8_t>(&bytes[0]))};
  if (type.kind == TypeKind::decimal) type = {TypeKind::decimal, kDecimalDigitsMax, 2};
  if (!type_supported(type) || !codec.fits(type)) return;
  const std::uint64_t rows = load_le<std::uint16_t>(&bytes[1]) % kPageRowsMax + 1;
  const BytesView rest = bytes.subspan(kFuzzHeadBytes);
  const std::size_t shared = std::min<std::size_t>(load_le<std::uint16_t>(&bytes[3]), rest.size());
  if (!stays_in_room(codec, rest.subspan(shared), {type, rows, 0, false, shared},
                     rest.first(shared))) {
    std::abort();
  }
}

}  // namespace otolith::test
