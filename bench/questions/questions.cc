// Questions a C++ caller asks of a database that a Python workload wrote.
//
//   questions totals DATABASE TABLE REPEATS START STOP COLUMN...
//   questions rows   DATABASE TABLE REPEATS START STOP KEY VALUE COLUMN...
//
// `totals`: values, sum, least and greatest of columns, from zone maps where these can answer.
// `rows`: rows of one key into arrays. Times are ns; START = STOP stands for all. Prints one JSON
// object: seconds of the first call after opening (`first`), of REPEATS later ones (`samples`), and
// the answer, which bench/peers/ compares with those of the other sides. What opening costs, and
// the first call, is not in `samples`. Not one of the programs that bench/run.py starts by itself.
#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "bench/measure.h"
#include "db/hall.h"
#include "otolith/otolith.h"
#include "scan/statistics.h"

namespace otolith {
namespace {

struct Question {
  std::string database;
  std::string table;
  int repeats = 0;
  std::optional<Timestamp> start{};
  std::optional<Timestamp> stop{};
  std::vector<std::string> rest{};
};

Question question_of(std::span<char*> words) {
  Question out{.database = words[0], .table = words[1], .repeats = std::stoi(words[2])};
  const Timestamp start{std::stoll(words[3])};
  const Timestamp stop{std::stoll(words[4])};
  if (start != stop) {
    out.start = start;
    out.stop = stop;
  }
  out.rest.assign(words.begin() + 5, words.end());
  return out;
}

// Runs `ask` once, then again and again, and `forget`, untimed, between; `answer` is JSON.
void tell(int repeats, const std::function<void()>& ask, const std::function<void()>& forget,
          const std::function<std::string()>& answer) {
  const double first = bench::seconds_of(ask);
  std::vector<double> samples;
  for (int i = 0; i < repeats; ++i) {
    forget();
    samples.push_back(bench::seconds_of(ask));
  }
  fmt::print("{{\"first\":{:.9f},\"samples\":[{:.9f}],\"answer\":{}}}\n", first,
             fmt::join(samples, ","), answer());
}

// ---- totals -------------------------------------------------------------------------------------

std::string number(std::int64_t value) { return std::to_string(value); }
std::string number(std::uint64_t value) { return std::to_string(value); }
std::string number(double value) { return fmt::format("{:.17g}", value); }
std::string number(Int128 value) { return number(static_cast<std::int64_t>(value)); }
std::string number(std::monostate) { return "null"; }
std::string number(const std::string& text) { return '"' + text + '"'; }

std::string json(const scan::TotalsRequest& request, const scan::Totals& totals) {
  std::vector<std::string> columns;
  for (std::size_t i = 0; i < request.columns.size(); ++i) {
    const scan::ColumnTotals& of = totals.columns[i];
    const auto said = [](const auto& value) { return number(value); };
    columns.push_back(fmt::format("\"{}\":{{\"count\":{},\"sum\":{},\"min\":{},\"max\":{}}}",
                                  request.columns[i], of.values, std::visit(said, of.sum),
                                  std::visit(said, of.min), std::visit(said, of.max)));
  }
  return fmt::format("{{{}}}", fmt::join(columns, ","));
}

void totals(const Question& question) {
  const auto hall = db::Hall::open(question.database, {.create = false, .read_only = true});
  const auto rooms = hall->rooms();
  const auto snapshot = rooms->history->head();
  const auto entry = snapshot->find(question.table);
  if (!entry) throw_error(ErrorCode::not_found, "no such table");
  const scan::ScanContext context = hall->scan_context(*rooms);
  const scan::TotalsRequest request{question.rest, question.start, question.stop};
  scan::Totals found;
  tell(
      question.repeats, [&] { found = scan::totals(context, snapshot, *entry, request); },
      [&] { found = {}; }, [&] { return json(request, found); });
}

// ---- rows ---------------------------------------------------------------------------------------

std::string json(const Array& array) {
  std::vector<std::string> values;
  for (std::uint64_t row = 0; row < array.length; ++row) {
    switch (array.type.kind) {
      case TypeKind::float64:
        values.push_back(number(array.value<double>(row)));
        break;
      case TypeKind::int32:
        values.push_back(number(std::int64_t{array.value<std::int32_t>(row)}));
        break;
      default:
        values.push_back(number(array.value<std::int64_t>(row)));
    }
  }
  return fmt::format("[{}]", fmt::join(values, ","));
}

std::string json(const Data& data) {
  std::vector<std::string> columns;
  for (std::size_t i = 0; i < data.schema().columns.size(); ++i) {
    columns.push_back(
        fmt::format("\"{}\":{}", data.schema().columns[i].name, json(data.column(i))));
  }
  return fmt::format("{{{}}}", fmt::join(columns, ","));
}

void rows(const Question& question) {
  const Database db = Database::open(question.database, {.create = false, .read_only = true});
  const Table table = db.table(question.table);
  ReadRequest request{.start = question.start, .stop = question.stop};
  request.keys = {{.column = question.rest[0], .values = {question.rest[1]}}};
  request.columns.emplace(question.rest.begin() + 2, question.rest.end());
  std::optional<Data> found;
  const auto ask = [&] {
    found = table.read(request);
    for (std::size_t i = 0; i < request.columns->size(); ++i) found->column(i);
  };
  tell(question.repeats, ask, [&] { found.reset(); }, [&] { return json(*found); });
}

int run(std::span<char*> words) {
  const std::string what = words.size() > 7 ? words[1] : "";
  if (what != "totals" && what != "rows") {
    fmt::print(stderr, "questions totals|rows DATABASE TABLE REPEATS START STOP ...\n");
    return 2;
  }
  const Question question = question_of(words.subspan(2));
  what == "totals" ? totals(question) : rows(question);
  return 0;
}

}  // namespace
}  // namespace otolith

int main(int count, char** arguments) {
  try {
    return otolith::run({arguments, static_cast<std::size_t>(count)});
  } catch (const std::exception& error) {
    fmt::print(stderr, "questions: {}\n", error.what());
    return 1;
  }
}
