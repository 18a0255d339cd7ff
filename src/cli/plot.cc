// `otolith plot DB DATASET COLUMN…`
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "cli/chart.h"
#include "cli/reading.h"
#include "cli/verbs.h"
#include "cli/wheel.h"
#include "files/new_file.h"
#include "files/table_writer.h"

namespace otolith::cli {

namespace {

constexpr unsigned kWidthDefault = 80;
constexpr unsigned kHeightDefault = 12;
constexpr unsigned kHeightMax = 200;

void check_columns(const Schema& schema, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const std::optional<std::size_t> at = schema.find(name);
    if (!at) {
      throw_error(ErrorCode::not_found, "there is no column {}{}", quoted(name),
                  nearest_hint(name, schema.names()));
    }
    if (!is_drawable(schema.columns[*at].type)) {
      throw_error(ErrorCode::invalid_argument, "column {} is {}; only numbers can be drawn",
                  quoted(name), type_name(schema.columns[*at].type));
    }
  }
}

// The series of the columns, over the time that is asked for and has rows.
std::vector<Series> read_series(const Table& table, const Words& words, std::size_t points) {
  const auto schema = table.schema();
  const std::vector<std::string> names = words.operands("COLUMN");
  check_columns(*schema, names);
  ReadRequest request{.start = words.time("--from"),
                      .stop = words.time("--to"),
                      .columns = {{schema->time}},
                      .keys = keys_of(words, *schema),
                      .where = where_of(words)};
  request.columns->insert(request.columns->end(), names.begin(), names.end());
  const auto range = table.time_range();
  std::vector<Series> out;
  if (!range) return out;
  const Timestamp first = std::max(range->first, request.start.value_or(range->first));
  const Timestamp last =
      request.stop ? std::min(range->second, Timestamp{request.stop->ns - 1}) : range->second;
  for (const std::string& name : names) out.emplace_back(name, first, last, points);
  read_in_pieces(table, request, [&](const Data& data) {
    for (const Batch& batch : data.batches()) {
      for (std::size_t i = 0; i < out.size(); ++i)
        out[i].add(batch.columns[0], batch.columns[i + 1]);
    }
  });
  return out;
}

unsigned height_of(const Words& words) {
  const std::uint64_t height = words.count("--height").value_or(kHeightDefault);
  if (height < 2 || height > kHeightMax)
    throw WrongUsage(fmt::format("--height takes 2 to {} lines", kHeightMax));
  return static_cast<unsigned>(height);
}

int run_plot(const Words& words, const Sinks& sinks) {
  const std::string output = words.value("--output").value_or("");
  if (output.ends_with(".png")) return through_wheel(words, "png", sinks);
  const bool svg = output.ends_with(".svg");
  if (!output.empty() && !svg) {
    throw_error(ErrorCode::invalid_argument, "--output ends in .svg or .png, not as {}",
                quoted(output));
  }
  const unsigned height = height_of(words);
  const unsigned width = sinks.width == 0 ? kWidthDefault : sinks.width;
  const Database database = open_to_read(words);
  const Table table = table_of(database, words);
  const std::vector<Series> series =
      read_series(table, words, svg ? kSvgPoints : terminal_points(width));
  if (series.empty() || series[0].values() == 0) {
    sinks.err("otolith plot: there are no values to draw\n");
    return kBad;
  }
  if (svg) {
    files::NewFile file(output, true);
    file.write(svg_chart(series, table.name()));
    file.finish();
    sinks.out(fmt::format("{}: {} values\n", files::shown_text(output), series[0].values()));
    return kDone;
  }
  for (const Series& one : series) sinks.out(terminal_chart(one, height));
  return kDone;
}

}  // namespace

Verb plot_verb() {
  return {.name = "plot",
          .summary = "Draws columns over time, in the terminal or as SVG or PNG",
          .operands = {{"DB", "a database directory"},
                       {"DATASET", "which table"},
                       {"COLUMN", "columns of numbers", true, true}},
          .options = joined({{{"--from", "TIME", "rows from this time on"},
                              {"--to", "TIME", "rows before this time"},
                              {"--key", "C=V", "rows whose key C is V", '\0', true},
                              {"--where", "EXPR", "rows of which this is true"},
                              {"--output", "FILE", "a file .svg or .png instead", 'o'},
                              {"--height", "N", "lines of the terminal for each column; 12"}},
                             at_options()}),
          .examples = {{"plot market.oto quotes bid --key symbol=AAPL", "in the terminal"},
                       {"plot market.oto quotes bid ask -o quotes.svg", "as a picture"}},
          .details =
              "Of each point the least and the greatest value are drawn. PNG is drawn by the "
              "script of\nthe Python package, with matplotlib.",
          .run = run_plot};
}

}  // namespace otolith::cli
