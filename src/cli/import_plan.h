// What table an import makes, or how it fits the one that is there.
//
// Role:    import, before the first row is read.
// Shapes:  the columns of the files, their types as guessed or told, the time column, the keys.
// Errors:  invalid_argument and WrongUsage that name the column, with the nearest one, and what to
//          say for it.
// Threads: thread-compatible.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/verb.h"
#include "files/row_reader.h"

namespace otolith::cli {

/// A type as --type has it: also timestamp(s), timestamp(ms), timestamp(day-first) …
struct ToldType {
  Type type;
  std::optional<files::TimeForm> form;
};
ToldType told_type(const std::string& text);

/// The columns of the files, with the guesses of their beginnings.
struct FoundColumns {
  std::vector<std::string> names;
  std::vector<files::TypeGuess> guesses;

  /// The place of a name, which is added where it is new.
  std::size_t place(const std::string& name);
};

/// The plan of a table that this import makes.
files::ReadPlan plan_of_new(const FoundColumns& found, const Words& words);
/// Of a new table: --partition, or the finest of day, month and year that these rows fill.
Partition partition_for(const Words& words, std::uint64_t rows, Timestamp first, Timestamp last);
/// The plan of a table that is there.
files::ReadPlan plan_of_old(std::shared_ptr<const Schema> schema, const FoundColumns& found,
                            const Words& words);
/// Writes which column has which type, on standard error.
void show_plan(const files::ReadPlan& plan, const FoundColumns& found, const Sinks& sinks);

}  // namespace otolith::cli
