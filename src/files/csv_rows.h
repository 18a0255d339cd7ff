// Where the fields of CSV text lie.
//
// Role:    the first of two steps of reading CSV; the second makes values of fields.
// Shapes:  a window of whole or broken lines, below 2^32 bytes; offsets from its beginning. Of each
//          row the offset where it begins, and where each of its fields ends.
// Errors:  none: lines that are none of a table of so many columns are listed with what is wrong.
// Threads: thread-compatible.
// Why:     text is looked at 64 bytes at a time as bit masks; only where something in a window is
//          out of order (stray quotes, other numbers of fields, NUL, no UTF-8) is it looked at
//          again byte by byte, to tell what and on which line.
// Source:  RFC 4180; the masks as in simdjson ("Parsing Gigabytes of JSON per Second", section 3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace otolith::files {

/// A line that is no row, by its bytes.
struct BadLine {
  std::size_t begin = 0;
  std::size_t end = 0;  // its line feed included
  std::string why;
};

/// What the text of a file looks like.
struct CsvShape {
  char separator = ',';
  std::size_t columns = 0;
  std::string header{};  // the line of names, to know it again; empty where there is none
};

/// The rows of a window.
struct CsvRows {
  std::string_view text;
  std::size_t columns = 0;
  std::vector<std::uint32_t> ends;    // `columns` of each row; behind them is room
  std::vector<std::uint32_t> begins;  // of each row
  std::vector<BadLine> bad;
  std::size_t consumed = 0;  // bytes of whole lines

  std::size_t size() const noexcept { return begins.size(); }
  /// The bytes of a field, quotes included.
  std::string_view field(std::size_t row, std::size_t column) const noexcept {
    const std::size_t at = row * columns + column;
    const std::size_t begin = column == 0 ? begins[row] : ends[at - 1] + 1;
    return text.substr(begin, ends[at] - begin);
  }
};

/// Finds the rows of a window; `last`: nothing comes behind it.
void find_rows(CsvRows& out, std::string_view text, bool last, const CsvShape& shape);

/// The fields of the first record, quotes included, whatever their number; `end` is set to where
/// the record ends, its line feed included. Throws invalid_argument where a quote is left open.
std::vector<std::string_view> first_record(std::string_view text, char separator, std::size_t& end);

/// What a field says: without its quotes, `""` as one quote; `scratch` holds it where it has any.
std::string_view unquoted(std::string_view field, std::string& scratch);

}  // namespace otolith::files
