// A command line at a door of the test's making, and a database to use it on.
//
// Role:    tests of the room.
// Errors:  none of its own.
// Threads: thread-compatible.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command_line.h"
#include "io/test_folder.h"
#include "otolith/database.h"
#include "test/rows.h"

namespace otolith::test {

struct Ran {
  int code = 0;
  std::string out;
  std::string err;
};

/// A door: what a command reads and where it stands.
struct Door {
  std::string input{};
  unsigned width = 0;
  bool err_is_terminal = false;
  bool colour = false;
  std::uint64_t held_bytes_max = 128ull << 20;

  Ran operator()(const std::vector<std::string>& words) const {
    Ran ran;
    std::string_view rest = input;
    const auto read = [&](std::span<char> out) {
      const std::size_t bytes = std::min(rest.size(), std::min<std::size_t>(out.size(), 1000));
      if (bytes != 0) std::memcpy(out.data(), rest.data(), bytes);
      rest.remove_prefix(bytes);
      return bytes;
    };
    ran.code = cli::run(words, {.out = [&](std::string_view text) { ran.out += text; },
                                .err = [&](std::string_view text) { ran.err += text; },
                                .in = read,
                                .width = width,
                                .err_is_terminal = err_is_terminal,
                                .colour = colour,
                                .held_bytes_max = held_bytes_max});
    return ran;
  }
};

inline Ran command(const std::vector<std::string>& words) { return Door{}(words); }

inline bool holds(std::string_view text, std::string_view part) {
  CAPTURE(text);
  return text.find(part) != std::string_view::npos;
}

/// A folder with a database of three quotes in two commits.
struct World {
  io::TestFolder folder;
  std::string db = path("market.oto");

  std::string path(const std::string& name) const { return folder.path() + "/" + name; }
  std::string file(const std::string& name, std::string_view text) const {
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }
  std::string read(const std::string& name) const {
    std::ifstream in(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void fill() const {
    Database database = Database::open(db);
    const Table table = database.create_table(
        "quotes", {.columns = {{.name = "time", .type = {TypeKind::timestamp}},
                               {.name = "symbol", .type = {TypeKind::string}},
                               {.name = "bid", .type = {TypeKind::float64}},
                               {.name = "size", .type = {TypeKind::int32}}},
                   .keys = {"symbol"}});
    const auto at = [](std::string_view text) { return Value(timestamp_parse(text).ns); };

    table.append(
        batch_of(table.schema(),
                 {{at("2026-01-05T09:30"), Value("AAPL"), Value(180.5), Value(std::int64_t{100})},
                  {at("2026-01-05T09:31"), Value("MSFT"), Value(410.0), {}}}),
        {.author = "ana", .message = "morning"});
    table.append(batch_of(table.schema(), {{at("2026-01-06T09:30"), Value("AAPL"), Value(181.25),
                                            Value(std::int64_t{7})}}),
                 {.author = "ben", .message = "later"});
    database.close();
  }
};

}  // namespace otolith::test
