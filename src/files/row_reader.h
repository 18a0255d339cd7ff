// Rows of a file: what import reads with.
//
// Role:    one interface over CSV and JSON.
// Shapes:  batches under the plan's schema; each is of about a window of text.
// Errors:  a line that is no row of the plan goes to OnBadLine, which may throw to stop.
// Threads: thread-compatible.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "files/guess.h"
#include "files/text_source.h"
#include "files/time_text.h"
#include "otolith/batch.h"

namespace otolith::files {

/// A line that was left out.
struct LeftOut {
  const std::string& file;
  std::uint64_t line = 0;  // from 1
  std::string_view text;   // with its line feed
  std::string why;
};
using OnBadLine = std::function<void(const LeftOut&)>;

/// What rows are to become.
struct ReadPlan {
  std::shared_ptr<const Schema> schema{};
  std::vector<TimeForm> forms{};     // of each column of the schema
  std::vector<std::string> nulls{};  // texts that mean null
  bool may_retype = false;  // the table is made by this import: other types can be asked for
  bool pick = false;        // columns of the file that the schema lacks are passed over
};

/// What an error adds that a column of another type would take.
std::string retype_remedy(const ReadPlan& plan, const Column& column, std::string_view text);

/// The columns of the file by those of the plan; SIZE_MAX where the file lacks one. Throws
/// invalid_argument for one that the plan lacks, with the nearest name, and for a lack of one that
/// is never null.
std::vector<std::size_t> match_columns(const std::string& file,
                                       const std::vector<std::string>& names, const ReadPlan& plan);

class RowReader {
 public:
  virtual ~RowReader() = default;
  /// Columns, as the beginning of the file has them.
  virtual const std::vector<std::string>& names() const = 0;
  /// Adds the values of the beginning to the guesses, one a name. Lines that are none in any case
  /// are told where there is somebody to tell.
  virtual void guess(std::vector<TypeGuess>& guesses, const std::vector<std::string>& nulls,
                     const OnBadLine& on_bad_line) = 0;
  /// Rows come from here on.
  virtual void begin(const ReadPlan& plan, OnBadLine on_bad_line) = 0;
  /// The next rows; false at the end.
  virtual bool next(Batch& out) = 0;
};

inline constexpr std::size_t kGuessBytes = 2 << 20;  // of a file's beginning

}  // namespace otolith::files
