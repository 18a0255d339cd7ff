// What verbs that read share: which rows, as of when, and how they are shown.
//
// Role:    head, tail, query, export, plot.
// Errors:  WrongUsage for values that do not parse; not_found and invalid_argument as Table::read.
// Threads: thread-safe.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/verb.h"
#include "files/row_writer.h"
#include "otolith/database.h"

namespace otolith::cli {

/// --json, --ndjson, --csv, --nan
std::vector<Option> format_options();
/// --from, --to, --key, --where, --columns
std::vector<Option> range_options();
/// --at
std::vector<Option> at_options();
/// --author, --message
std::vector<Option> commit_options();

files::RowFormat format_of(const Words& words);
files::RowLook look_of(const Words& words, const Sinks& sinks);
CommitOptions commit_of(const Words& words);

/// A database that is there, for reading only.
Database open_to_read(const Words& words);
/// The table DATASET of it, as of --at: HEAD, where that is not given, as of now.
Table table_of(const Database& database, const Words& words);
/// Which rows of the range_options are asked for.
ReadRequest request_of(const Words& words, const Schema& schema);
/// The keys of --key C=V.
std::vector<KeyFilter> keys_of(const Words& words, const Schema& schema);

/// The condition of --where (docs/conditions.md).
std::optional<Expression> where_of(const Words& words);

/// Hands over all rows in order, in pieces of bounded size; a limit is of all pieces together.
void read_in_pieces(const Table& table, const ReadRequest& request,
                    const std::function<void(const Data&)>& take);

/// Writes a whole answer as it is asked for.
void put_rows(const Data& data, const Words& words, const Sinks& sinks);

}  // namespace otolith::cli
