// Any bytes as one page of a codec.
//
// Role:    body of the harnesses src/codec/fuzz_*.cc, and of the test that makes their seeds.
// Shapes:  type kind u8 | zero u8 | rows u16 (from 1, at most kPageRowsMax) | the page.
// Errors:  aborts where a page without flaw writes beside its room.
// Threads: thread-safe.
#pragma once

#include <cstdint>
#include <cstdlib>

#include "base/limits.h"
#include "test/pages.h"

namespace otolith::test {

inline Bytes fuzz_input(const codec::PageFacts& facts, BytesView page) {
  ByteWriter out;
  out.put(facts.type.kind);
  out.put_zeros(1);
  out.put(static_cast<std::uint16_t>(facts.rows - 1));
  out.put_bytes(page);
  return out.take();
}

inline void fuzz_page(const codec::Codec& codec, const std::uint8_t* data, std::size_t size) {
  const BytesView bytes = std::as_bytes(std::span(data, size));
  if (size < 4) return;
  const Type type{static_cast<TypeKind>(load_le<std::uint8_t>(&bytes[0]))};
  if (!type_supported(type) || !codec.fits(type)) return;
  const std::uint64_t rows = load_le<std::uint16_t>(&bytes[2]) % kPageRowsMax + 1;
  if (!stays_in_room(codec, bytes.subspan(4), {type, rows, 0, false})) std::abort();
}

}  // namespace otolith::test
