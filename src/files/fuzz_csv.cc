// Any bytes as CSV: rows and bad lines that lie within the text, the same however it is cut.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "files/cells.h"
#include "files/csv_rows.h"

namespace {

using otolith::files::CsvRows;
using otolith::files::CsvShape;

void require(bool holds) {
  if (!holds) std::abort();
}

// Rows, by their fields, of a text that is handed over in pieces of so many bytes.
std::string rows_of(std::string_view text, std::size_t piece, const CsvShape& shape) {
  std::string out;
  std::size_t begin = 0;
  for (std::size_t end = piece; begin < text.size(); end += piece) {
    end = std::min(end, text.size());
    const bool last = end == text.size();
    CsvRows rows;
    find_rows(rows, text.substr(begin, end - begin), last, shape);
    require(rows.consumed <= end - begin && (!last || rows.consumed == end - begin));
    for (std::size_t row = 0; row < rows.size(); ++row) {
      for (std::size_t column = 0; column < shape.columns; ++column) {
        std::string scratch;
        out += otolith::files::unquoted(rows.field(row, column), scratch);
        out += '\x1f';
      }
    }
    begin += rows.consumed;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  std::string text(reinterpret_cast<const char*>(data) + 2, size - 2);
  if (!text.ends_with('\n')) text += '\n';
  const CsvShape shape{.separator = data[0] % 2 == 0 ? ',' : ';', .columns = 1 + data[1] % 4u};
  const std::string whole = rows_of(text, text.size(), shape);
  require(whole == rows_of(text, 7 + data[0], shape));
  CsvRows rows;
  find_rows(rows, text, true, shape);
  const std::vector<std::string> nulls{"", "NA"};
  for (const otolith::TypeKind kind :
       {otolith::TypeKind::int32, otolith::TypeKind::float64, otolith::TypeKind::timestamp,
        otolith::TypeKind::string, otolith::TypeKind::boolean}) {
    std::vector<std::uint32_t> failed;
    const otolith::Array array = read_cells(rows, 0, {.type = {kind}, .nulls = &nulls}, failed);
    require(array.length == rows.size() && failed.size() <= array.null_count);
  }
  return 0;
}
