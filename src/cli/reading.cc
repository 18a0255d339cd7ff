#include "cli/reading.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"

namespace otolith::cli {

namespace {

constexpr std::uint64_t kPieceRows = 1 << 20;  // about as many are read at once

template <typename T>
std::optional<KeyValue> whole(std::string_view text) {
  T out{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return KeyValue(out);
}

KeyValue key_value(const Column& column, const std::string& text) {
  const TypeKind kind = column.type.kind;
  std::optional<KeyValue> out;
  if (kind == TypeKind::string || kind == TypeKind::binary || kind == TypeKind::decimal)
    out = text;
  else if (kind == TypeKind::boolean)
    out = text == "true"    ? std::optional<KeyValue>(std::int64_t{1})
          : text == "false" ? std::optional<KeyValue>(std::int64_t{0})
                            : std::nullopt;
  else if (kind >= TypeKind::int8 && kind <= TypeKind::int64)
    out = whole<std::int64_t>(text);
  else if (kind >= TypeKind::uint8 && kind <= TypeKind::uint64)
    out = whole<std::uint64_t>(text);
  else if (kind == TypeKind::timestamp)
    out = timestamp_parse(text).ns;
  if (out) return *out;
  throw_error(ErrorCode::invalid_argument, "--key {}={}: {} is no {}", column.name, text,
              quoted(text), type_name(column.type));
}

}  // namespace

std::vector<Option> format_options() {
  return {{"--json", "", "one JSON array"},
          {"--ndjson", "", "a JSON object on each line"},
          {"--csv", "", "CSV with a head line"},
          {"--nan", "null|text", "what JSON holds for NaN and infinities; else they are refused"}};
}

std::vector<Option> range_options() {
  return {{"--from", "TIME", "rows from this time on (ISO 8601, UTC unless it says otherwise)"},
          {"--to", "TIME", "rows before this time"},
          {"--key", "C=V", "rows whose key C is V; again: one of several values", '\0', true},
          {"--where", "EXPR", "rows of which this is true: \"bid > 90 and venue is null\""},
          {"--columns", "A,B", "these columns, in this order"}};
}

std::vector<Option> at_options() {
  return {{"--at", "REF", "as of a commit: 42, HEAD~3, #abcdef, or a tag"}};
}

std::vector<Option> commit_options() {
  return {{"--author", "TEXT", "who makes the commit"},
          {"--message", "TEXT", "what the commit is for", 'm'}};
}

files::RowFormat format_of(const Words& words) {
  words.not_both("--json", "--ndjson");
  words.not_both("--json", "--csv");
  words.not_both("--ndjson", "--csv");
  if (words.flag("--json")) return files::RowFormat::json;
  if (words.flag("--ndjson")) return files::RowFormat::ndjson;
  return words.flag("--csv") ? files::RowFormat::csv : files::RowFormat::table;
}

files::RowLook look_of(const Words& words, const Sinks& sinks) {
  const std::optional<std::string> nan = words.value("--nan");
  return {.width = sinks.width,
          .colour = sinks.colour,
          .nan = !nan             ? files::NanAs::refused
                 : *nan == "null" ? files::NanAs::null
                                  : files::NanAs::text};
}

CommitOptions commit_of(const Words& words) {
  return {.author = words.value("--author"), .message = words.value("--message").value_or("")};
}

Database open_to_read(const Words& words) {
  return Database::open(words.operand("DB"), {.create = false, .read_only = true});
}

Table table_of(const Database& database, const Words& words) {
  return database.at(words.value("--at").value_or("HEAD")).table(words.operand("DATASET"));
}

std::vector<KeyFilter> keys_of(const Words& words, const Schema& schema) {
  std::vector<KeyFilter> out;
  for (const std::string& word : words.values("--key")) {
    const std::size_t at = word.find('=');
    if (at == std::string::npos)
      throw WrongUsage(fmt::format("--key takes COLUMN=VALUE, not {}", quoted(word)));
    const std::string name = word.substr(0, at);
    const std::string text = word.substr(at + 1);
    auto filter = std::ranges::find(out, name, &KeyFilter::column);
    if (filter == out.end()) filter = out.insert(out.end(), {.column = name, .values = {}});
    const std::optional<std::size_t> index = schema.find(name);
    filter->values.push_back(index ? key_value(schema.columns[*index], text) : KeyValue(text));
  }
  return out;
}

std::optional<Expression> where_of(const Words& words) {
  const std::optional<std::string> text = words.value("--where");
  return text ? std::optional(parse_condition(*text)) : std::nullopt;
}

ReadRequest request_of(const Words& words, const Schema& schema) {
  return {.start = words.time("--from"),
          .stop = words.time("--to"),
          .columns = words.list("--columns"),
          .keys = keys_of(words, schema),
          .where = where_of(words),
          .limit = words.count("--limit"),
          .reverse = words.flag("--reverse")};
}

// Stretches of time of about kPieceRows rows each, were they spread evenly.
void read_in_pieces(const Table& table, const ReadRequest& request,
                    const std::function<void(const Data&)>& take) {
  const auto range = table.time_range();
  const std::uint64_t pieces = table.rows() / kPieceRows + 1;
  if (request.limit || !range || pieces == 1) return take(table.read(request));
  const std::int64_t first = std::max(range->first, request.start.value_or(range->first)).ns;
  const std::int64_t last =
      request.stop ? std::min(range->second.ns, request.stop->ns - 1) : range->second.ns;
  if (first > last) return take(table.read(request));
  const std::uint64_t span = static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(first);
  const std::uint64_t step = span / pieces + 1;
  for (std::uint64_t i = 0; i < pieces; ++i) {
    const std::uint64_t piece = request.reverse ? pieces - 1 - i : i;
    ReadRequest part = request;
    const auto bound = [&](std::uint64_t n) {
      const std::uint64_t behind = std::min(n * step, span);
      return Timestamp{static_cast<std::int64_t>(static_cast<std::uint64_t>(first) + behind)};
    };
    if (piece != 0) part.start = bound(piece);
    if (piece + 1 != pieces) part.stop = bound(piece + 1);
    take(table.read(part));
  }
}

void put_rows(const Data& data, const Words& words, const Sinks& sinks) {
  const auto writer =
      files::row_writer(format_of(words), data.schema_shared(), sinks.out, look_of(words, sinks));
  for (const Batch& batch : data.batches()) writer->rows(batch);
  writer->end();
}

}  // namespace otolith::cli
