// Fields of text become columns of values.
//
// Role:    the second of two steps of reading CSV: one column of a window at a time.
// Shapes:  one Array with a value or a null for each row; the rows whose field is no value of the
//          type are listed, ascending, and hold nulls.
// Errors:  none.
// Threads: thread-safe.
// Why:     a loop for each type over one column keeps its branches predictable, and its state (the
//          day of the last time) in registers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "files/csv_rows.h"
#include "files/time_text.h"
#include "otolith/batch.h"

namespace otolith::files {

/// How the fields of a column are read.
struct CellRules {
  Type type{};
  TimeForm form = TimeForm::iso;  // of timestamps
  bool nullable = true;
  const std::vector<std::string>* nulls = nullptr;  // texts that mean null
};

/// The values of a column; `failed` gets rows whose field is none of the type.
Array read_cells(const CsvRows& rows, std::size_t column, const CellRules& rules,
                 std::vector<std::uint32_t>& failed);

/// What is wrong with a field that is no value: "... is no int64".
std::string why_no_value(std::string_view field, const CellRules& rules);

/// The words for true and false, in any case.
bool read_boolean(std::string_view text, std::uint8_t& out) noexcept;

}  // namespace otolith::files
