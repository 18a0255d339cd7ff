// Rows as a table for people, in columns that fit the terminal.
//
// Role:    the RowWriter of every verb that is not asked for another format.
// Shapes:  widths are those of the first kMeasuredRows rows; what is wider behind them stands out.
//          On a terminal cells are cut at kCellWidthMax and columns that do not fit are named
//          below; without one nothing is cut.
// Errors:  whatever the sink throws.
// Threads: thread-compatible.
// Why:     what a terminal would obey (control characters, bidi marks) is shown, never sent.
#pragma once

#include <string>
#include <vector>

#include "files/row_writer.h"

namespace otolith::files {

/// Columns of a terminal that a text takes: 0 for combining marks, 2 for East Asian wide ones.
unsigned text_width(std::string_view text) noexcept;

/// The text with what a terminal would obey written as \x1b or \u202e.
std::string shown_text(std::string_view text);

/// The text, cut to this many columns with an ellipsis where it is wider.
std::string cut_text(const std::string& text, unsigned width);

class TableWriter final : public RowWriter {
 public:
  TableWriter(std::shared_ptr<const Schema> schema, TextSink sink, const RowLook& look);
  void rows(const Batch& batch) override;
  void end() override;

 private:
  using Cells = std::vector<std::string>;

  void measure();
  void put_line(const Cells& cells, bool head);
  std::string cell(const Array& column, std::uint64_t row) const;

  std::shared_ptr<const Schema> schema_;
  TextSink sink_;
  RowLook look_;
  std::vector<Cells> waiting_;    // until widths are known
  std::vector<unsigned> widths_;  // of the columns that are shown; empty until they are known
  std::string text_;
};

}  // namespace otolith::files
