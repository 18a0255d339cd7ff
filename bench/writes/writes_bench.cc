// Rows 1, 2 and 3 of the goals: bulk ingest of W1, rows one at a time, and small durable commits,
// beside the machine's own limits.
//
//   writes_bench commits|columns|rows|all FOLDER
#include <fmt/format.h>

#include <cstdio>
#include <string_view>

#include "bench/writes/writes_bench.h"
#include "otolith/error.h"

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "all";
  const std::string folder = argc > 2 ? argv[2] : "build/bench";
  try {
    if (what == "commits" || what == "all") otolith::bench::commits(folder);
    if (what == "rows" || what == "all") otolith::bench::rows(folder);
    if (what == "columns" || what == "all") otolith::bench::columns(folder);
  } catch (const otolith::Error& error) {
    fmt::print(stderr, "writes_bench: {}\n", error.what());
    return 1;
  }
  return 0;
}
