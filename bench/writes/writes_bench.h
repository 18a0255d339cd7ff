// The three workloads of writes_bench.
#pragma once

#include <string>

namespace otolith::bench {

/// Durable commits of 10 rows x 5 columns, alone and by eight threads at once, in turns with a
/// probe that appends as many bytes to a preallocated file and calls fdatasync.
void commits(const std::string& folder);

/// W1: 10 M rows over 31 days, five columns of 8 bytes, in turns with writing the plain columns and
/// syncing them.
void columns(const std::string& folder);

/// 2 M rows of five columns, one at a time, in turns with copying each row, and with DuckDB's
/// appender where it is there.
void rows(const std::string& folder);

}  // namespace otolith::bench
