#include "files/json_reader.h"

#include <fmt/format.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <type_traits>
#include <utility>

#include "base/error.h"
#include "document/json_records.h"
#include "files/cells.h"
#include "model/array.h"
#include "model/utf8.h"
#include "otolith/decimal.h"

namespace otolith::files {

namespace {

// What a cell must be when it is none: a message, empty where it is.
using Why = std::string;

// One value as it stands in the text.
struct Value {
  enum class Kind : std::uint8_t { null, boolean, number, text, object, array };
  Kind kind = Kind::null;
  bool truth = false;
  std::string_view text{};  // of a text, or the digits of a number; valid while it is handed over
};

bool put_decimal(model::ArrayBuilder& out, std::string_view text, Type type) {
  try {
    out.append_value(decimal_parse(text, type));
    return true;
  } catch (const Error&) {  // rare: see cells.cc
    return false;
  }
}

// A number that the type holds: integers whole; a float is the nearest, but no integer is rounded.
template <typename T>
bool put_whole(model::ArrayBuilder& out, std::string_view digits) {
  T value{};
  const char* begin = digits.data();
  const char* end = begin + digits.size();
  const auto [at, failed] = std::from_chars(begin, end, value);
  if (failed != std::errc() || at != end) return false;
  if constexpr (std::is_floating_point_v<T>) {
    const bool whole = digits.find_first_of(".eE") == std::string_view::npos;
    if (whole && digits.size() > 7 && fmt::format("{:.0f}", value) != digits) return false;
  }
  out.append_value(value);
  return true;
}

// A number in a column of numbers.
bool put_number(model::ArrayBuilder& out, std::string_view digits, Type type) {
  switch (type.kind) {
    case TypeKind::int8:
      return put_whole<std::int8_t>(out, digits);
    case TypeKind::int16:
      return put_whole<std::int16_t>(out, digits);
    case TypeKind::int32:
      return put_whole<std::int32_t>(out, digits);
    case TypeKind::int64:
      return put_whole<std::int64_t>(out, digits);
    case TypeKind::uint8:
      return put_whole<std::uint8_t>(out, digits);
    case TypeKind::uint16:
      return put_whole<std::uint16_t>(out, digits);
    case TypeKind::uint32:
      return put_whole<std::uint32_t>(out, digits);
    case TypeKind::uint64:
      return put_whole<std::uint64_t>(out, digits);
    case TypeKind::float32:
      return put_whole<float>(out, digits);
    case TypeKind::float64:
      return put_whole<double>(out, digits);
    case TypeKind::decimal:
      return put_decimal(out, digits, type);
    default:
      return false;
  }
}

// "nan" and the infinities, which JSON has no word for.
bool put_no_number(model::ArrayBuilder& out, std::string_view text, Type type) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  double number = 0;
  if (text == "nan")
    number = std::numeric_limits<double>::quiet_NaN();
  else if (text == "inf" || text == "-inf")
    number = text == "inf" ? kInfinity : -kInfinity;
  else
    return false;
  if (type.kind == TypeKind::float32)
    out.append_value(static_cast<float>(number));
  else if (type.kind == TypeKind::float64)
    out.append_value(number);
  else
    return false;
  return true;
}

}  // namespace

// The records of a source, and the columns that they become.
class JsonReader::Objects {
 public:
  Objects(TextSource& source, bool array)
      : source_(source),
        records_(source.name(), array ? document::JsonShape::array : document::JsonShape::lines) {}

  /// The next record of the window from `at` on, which is moved behind it; empty at its end.
  std::string_view record(std::size_t& at) { return records_.next(source_.window(), at, false); }
  /// Whether an array ended.
  bool ended() const { return records_.ended(); }
  bool array() const { return records_.in_array(); }
  /// Looks at the window as a whole: records of what is sound need not be looked at again.
  void look_at_encoding() {
    const std::string_view text = source_.window();
    utf8_ = model::utf8_valid(text.substr(0, text.rfind('\n') + 1)) && !array();
  }

  /// Calls with each name and value of a record; what is wrong with it, or nothing.
  template <typename Take>
  Why each(std::string_view record, Take take);

  void make_columns(const ReadPlan& plan) {
    plan_ = &plan;
    times_.clear();
    for (const TimeForm form : plan.forms) times_.emplace_back(form);
    reset();
  }
  /// Appends a record as a row; what is wrong with it, or nothing: then no row was appended.
  Why append(std::string_view record);
  Batch finish();
  std::uint64_t rows() const { return rows_; }

 private:
  void reset();
  std::size_t column_of(std::string_view name);
  Why put(std::size_t column, const Value& value);
  Why put_text(std::size_t column, std::string_view text);

  TextSource& source_;
  document::JsonRecords records_;
  bool utf8_ = false;  // known of the window's lines
  rapidjson::Reader parser_;
  const ReadPlan* plan_ = nullptr;
  std::vector<model::ArrayBuilder> columns_;
  std::vector<TimeReader> times_;
  std::vector<bool> set_;
  std::size_t expected_ = 0;  // fields mostly come in one order
  std::uint64_t rows_ = 0;
};

constexpr std::size_t kDepthMax = 100;  // the parser goes down by calls

// What the parser tells of one record: the fields of its object, of nested ones only that they are.
template <typename Take>
class FieldHandler : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, FieldHandler<Take>> {
 public:
  explicit FieldHandler(Take& take) : take_(take) {}

  bool Null() { return value({.kind = Value::Kind::null}); }
  bool Bool(bool truth) { return value({.kind = Value::Kind::boolean, .truth = truth}); }
  bool RawNumber(const char* digits, rapidjson::SizeType bytes, bool) {
    return value({.kind = Value::Kind::number, .text = {digits, bytes}});
  }
  bool String(const char* text, rapidjson::SizeType bytes, bool) {
    return value({.kind = Value::Kind::text, .text = {text, bytes}});
  }
  bool Key(const char* text, rapidjson::SizeType bytes, bool) {
    if (depth_ == 1) name_.assign(text, bytes);
    return true;
  }
  bool StartObject() { return begin(Value::Kind::object); }
  bool StartArray() { return begin(Value::Kind::array); }
  bool EndObject(rapidjson::SizeType) { return end(); }
  bool EndArray(rapidjson::SizeType) { return end(); }

  const Why& why() const { return why_; }

 private:
  bool begin(Value::Kind kind) {
    if (depth_ == 0 && kind != Value::Kind::object) return refuse("it is no object");
    if (depth_ == 1 && !value({.kind = kind})) return false;
    if (depth_ == kDepthMax) return refuse("it is nested too deeply");
    ++depth_;
    return true;
  }
  bool end() {
    --depth_;
    return true;
  }
  bool value(const Value& found) {
    if (depth_ == 0) return refuse("it is no object");
    return depth_ > 1 || refuse(take_(std::string_view(name_), found));
  }
  bool refuse(Why why) {
    why_ = std::move(why);
    return why_.empty();
  }

  Take& take_;
  std::string name_;
  std::size_t depth_ = 0;
  Why why_;
};

template <typename Take>
Why JsonReader::Objects::each(std::string_view record, Take take) {
  rapidjson::MemoryStream stream(record.data(), record.size());
  FieldHandler<Take> handler(take);
  constexpr unsigned kDigits = rapidjson::kParseNumbersAsStringsFlag;
  const rapidjson::ParseResult result =
      utf8_ ? parser_.Parse<kDigits>(stream, handler)
            : parser_.Parse < kDigits | rapidjson::kParseValidateEncodingFlag > (stream, handler);
  if (!handler.why().empty()) return handler.why();
  if (!result.IsError()) return {};
  std::string what = rapidjson::GetParseError_En(result.Code());
  if (what.ends_with('.')) what.pop_back();
  return fmt::format("it is no JSON: {} (byte {})", what, result.Offset() + 1);
}

void JsonReader::Objects::reset() {
  columns_.clear();
  for (const Column& column : plan_->schema->columns) columns_.emplace_back(column.type);
  rows_ = 0;
}

std::size_t JsonReader::Objects::column_of(std::string_view name) {
  const std::vector<Column>& columns = plan_->schema->columns;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::size_t at =
        expected_ + i < columns.size() ? expected_ + i : expected_ + i - columns.size();
    if (columns[at].name != name) continue;
    expected_ = at + 1 == columns.size() ? 0 : at + 1;
    return at;
  }
  return SIZE_MAX;
}

Why JsonReader::Objects::put_text(std::size_t column, std::string_view text) {
  const Type type = plan_->schema->columns[column].type;
  model::ArrayBuilder& out = columns_[column];
  if (type.kind == TypeKind::string) {
    out.append_text(text);
    return {};
  }
  if (type.kind == TypeKind::timestamp) {
    std::int64_t ns = 0;
    if (times_[column].read(text, ns)) {
      out.append_value(ns);
      return {};
    }
    return fmt::format("{} is no time as {}", quoted(text), time_form_name(plan_->forms[column]));
  }
  if (type.kind == TypeKind::decimal && put_decimal(out, text, type)) return {};
  if (put_no_number(out, text, type)) return {};
  return fmt::format("{} is no {}", quoted(text), type_name(type));
}

Why JsonReader::Objects::put(std::size_t column, const Value& value) {
  const Column& of = plan_->schema->columns[column];
  model::ArrayBuilder& out = columns_[column];
  switch (value.kind) {
    case Value::Kind::null:
      if (!of.nullable) return "null, and this column is never null";
      out.append_null();
      return {};
    case Value::Kind::text:
      return put_text(column, value.text);
    case Value::Kind::boolean:
      if (of.type.kind != TypeKind::boolean)
        return fmt::format("{} is no {}", value.truth, type_name(of.type));
      out.append_value(static_cast<std::uint8_t>(value.truth));
      return {};
    case Value::Kind::array:
    case Value::Kind::object:
      return fmt::format(
          "it holds an {} of its own; nested values are those of documents, and no table has "
          "columns for them",
          value.kind == Value::Kind::array ? "array" : "object");
    case Value::Kind::number:
      break;
  }
  std::int64_t ns = 0;
  if (of.type.kind == TypeKind::timestamp && plan_->forms[column] >= TimeForm::seconds &&
      times_[column].read(value.text, ns)) {
    out.append_value(ns);
    return {};
  }
  if (put_number(out, value.text, of.type)) return {};
  return fmt::format("{} is no {}", value.text, type_name(of.type));
}

Why JsonReader::Objects::append(std::string_view record) {
  set_.assign(columns_.size(), false);
  expected_ = 0;
  Why why = each(record, [&](std::string_view name, const Value& value) -> Why {
    const std::size_t column = column_of(name);
    if (column == SIZE_MAX) {
      if (plan_->pick) return {};
      return fmt::format("column {} is not among {}{}{}", quoted(name),
                         plan_->may_retype ? "those of the first lines" : "the table's",
                         nearest_hint(name, plan_->schema->names()),
                         plan_->may_retype ? fmt::format("; --type {}=TYPE takes it", name) : "");
    }
    if (set_[column]) return fmt::format("{} stands in it twice", quoted(name));
    Why wrong_value = put(column, value);
    if (!wrong_value.empty()) return fmt::format("column {}: {}", quoted(name), wrong_value);
    set_[column] = true;
    return {};
  });
  for (std::size_t i = 0; why.empty() && i < columns_.size(); ++i) {
    if (set_[i]) continue;
    if (plan_->schema->columns[i].nullable)
      columns_[i].append_null();
    else
      why =
          fmt::format("{} is missing, which is never null", quoted(plan_->schema->columns[i].name));
  }
  if (why.empty()) {
    ++rows_;
    return why;
  }
  // What was appended of the row goes again.
  for (model::ArrayBuilder& column : columns_) {
    const Array all = column.finish();
    column.append_rows(all, 0, rows_);
  }
  return why;
}

Batch JsonReader::Objects::finish() {
  Batch out{.schema = plan_->schema, .rows = rows_, .columns = {}};
  for (model::ArrayBuilder& column : columns_) out.columns.push_back(column.finish());
  reset();
  return out;
}

JsonReader::JsonReader(TextSource& source, bool array)
    : source_(source), objects_(std::make_unique<Objects>(source, array)) {
  source_.fill(kGuessBytes);
  find_names();
}

JsonReader::~JsonReader() = default;

void JsonReader::find_names() {
  Objects beginning(source_, objects_->array());
  std::size_t at = 0;
  for (std::string_view record = beginning.record(at); !record.empty();
       record = beginning.record(at)) {
    (void)beginning.each(record, [&](std::string_view name, const Value&) -> Why {
      if (std::ranges::find(names_, name) == names_.end()) names_.emplace_back(name);
      return {};
    });
  }
}

void JsonReader::guess(std::vector<TypeGuess>& guesses, const std::vector<std::string>&,
                       const OnBadLine& on_bad_line) {
  Objects beginning(source_, objects_->array());
  std::size_t at = 0;
  for (std::string_view record = beginning.record(at); !record.empty();
       record = beginning.record(at)) {
    const Why why = beginning.each(record, [&](std::string_view name, const Value& value) -> Why {
      const auto of = std::ranges::find(names_, name) - names_.begin();
      TypeGuess& guess = guesses[static_cast<std::size_t>(of)];
      if (value.kind == Value::Kind::boolean)
        guess.add(value.truth ? "true" : "false");
      else if (value.kind == Value::Kind::number || value.kind == Value::Kind::text)
        guess.add(value.text, value.kind == Value::Kind::text);
      return {};
    });
    if (why.empty() || !on_bad_line) continue;
    const std::string_view before = source_.window().substr(
        0, static_cast<std::size_t>(record.data() - source_.window().data()));
    const auto feeds = static_cast<std::uint64_t>(std::ranges::count(before, '\n'));
    on_bad_line({source_.name(), source_.line() + feeds, record, why});
  }
}

void JsonReader::begin(const ReadPlan& plan, OnBadLine on_bad_line) {
  plan_ = plan;
  on_bad_line_ = std::move(on_bad_line);
  objects_->make_columns(plan_);
  match_columns(source_.name(), names_, plan_);
}

bool JsonReader::next(Batch& out) {
  for (std::size_t wanted = kWindowBytes;; wanted *= 2) {
    source_.fill(wanted);
    objects_->look_at_encoding();
    const std::string_view text = source_.window();
    std::size_t at = 0;
    std::size_t counted = 0;
    std::uint64_t line = source_.line();
    for (std::string_view record = objects_->record(at); !record.empty();
         record = objects_->record(at)) {
      const Why why = objects_->append(record);
      if (why.empty()) continue;
      const auto begin = static_cast<std::size_t>(record.data() - text.data());
      const std::string_view between = text.substr(counted, begin - counted);
      line += static_cast<std::uint64_t>(std::ranges::count(between, '\n'));
      counted = begin;
      on_bad_line_({source_.name(), line, std::string(record) + "\n", why});
    }
    const bool stuck = at == 0 && !source_.at_end();
    source_.consume(at);
    if (objects_->rows() != 0) {
      out = objects_->finish();
      return true;
    }
    if (stuck) continue;
    if (source_.at_end()) break;
    wanted = kWindowBytes / 2;
  }
  if (objects_->array() && !objects_->ended()) {
    throw_error(ErrorCode::invalid_argument, "{}:{}: the JSON array does not end", source_.name(),
                source_.line());
  }
  return false;
}

}  // namespace otolith::files
