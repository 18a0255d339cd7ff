// Edits a line at the terminal: by libedit where it is installed, else as the terminal does it.
//
// Role:    the shell of the `otolith` binary; the wheel's door has Python's own editor.
// Shapes:  lines in UTF-8, without their end; a thousand of them are kept between runs.
// Errors:  none: a history that cannot be read or written is none.
// Threads: thread-compatible; one in a process: signals and libedit know no others.
// Why:     libedit is loaded when a line is asked for, so that neither the binary nor the wheel
//          needs it (docs/adr/0094).
#pragma once

#include <memory>
#include <string>

#include "cli/command_line.h"

namespace otolith::bin {

class LineEditor {
 public:
  /// `history`: a file; empty: nothing is kept.
  explicit LineEditor(std::string history);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  cli::Line line(const cli::LineAsked& asked);

 private:
  class Libedit;
  const std::string history_;
  std::unique_ptr<Libedit> libedit_;  // null where it is not installed
};

/// From here on Ctrl-C is noticed, and ends the process no more.
void catch_interrupts();
/// Whether it was pressed since the last call.
bool interrupted();

}  // namespace otolith::bin
