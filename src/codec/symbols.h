// A table of up to 255 short strings that stand for one byte each: text made small.
//
// Role:    under the codec text.
// Shapes:  symbols of 1 to 8 bytes. Packed text is a row of codes; code 255 says that the next byte
//          stands for itself. A table, a multiple of 8 bytes:
//
//   symbols n u32 | zero u32 | their lengths u8 each | zero to a multiple of 8 | symbols u64 each,
//   first byte lowest, zeros behind
//
// Errors:  the flaws say what is wrong; unpacking relies on them.
// Threads: immutable.
// Why:     unpacking is one load and one store of 8 bytes a symbol and needs no window, so that it
//          is faster than LZ4 on short texts.
// Source:  Boncz, Neumann, Leis: "FSST: Fast Random Access String Compression", VLDB 2020.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace otolith::codec {

inline constexpr std::size_t kSymbolsMax = 255;
inline constexpr std::uint64_t kSymbolBytesMax = 8;

struct Symbol {
  std::uint64_t text = 0;  // first byte lowest, zeros behind
  std::uint8_t bytes = 0;
  bool operator==(const Symbol&) const = default;
};

class SymbolTable {
 public:
  SymbolTable() : SymbolTable(std::vector<Symbol>()) {}
  /// <= kSymbolsMax of them; a symbol's place is its code.
  explicit SymbolTable(std::vector<Symbol> symbols);
  /// The table that suits text like this.
  static SymbolTable build(BytesView sample);

  const std::vector<Symbol>& symbols() const noexcept { return symbols_; }
  void write(ByteWriter& out) const;
  void pack(BytesView text, ByteWriter& out) const;

  /// The longest symbol that `text` (not empty) begins with: its code, or -1.
  int longest(BytesView text) const noexcept;

 private:
  std::vector<Symbol> symbols_;
  std::vector<std::uint8_t> order_;       // codes of 2 bytes and more, by those bytes
  std::vector<std::uint16_t> first_;      // in order_, by the first two bytes
  std::array<std::int16_t, 256> single_;  // codes of one byte
};

/// What is wrong with a table.
std::string_view symbols_flaw(BytesView table) noexcept;
/// Bytes that packed text unpacks to by a sound table; false if a code is none of its symbols.
bool symbols_size(BytesView table, BytesView packed, std::uint64_t* bytes) noexcept;
/// Unpacks to exactly `size` bytes, which symbols_size said.
void symbols_unpack(BytesView table, BytesView packed, std::byte* out, std::uint64_t size) noexcept;

}  // namespace otolith::codec
