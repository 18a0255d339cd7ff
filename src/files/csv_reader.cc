#include "files/csv_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "files/cells.h"
#include "model/array.h"
#include "model/utf8.h"

namespace otolith::files {

namespace {

constexpr std::array kSeparators{',', ';', '\t', '|'};
constexpr std::size_t kSniffedLines = 20;

// Fields of each of the first records; nothing where they cannot be told.
std::vector<std::size_t> field_counts(std::string_view text, char separator) {
  std::vector<std::size_t> out;
  try {
    while (!text.empty() && out.size() < kSniffedLines) {
      std::size_t end = 0;
      const std::size_t fields = first_record(text, separator, end).size();
      if (end > 1) out.push_back(fields);
      text.remove_prefix(end);
    }
  } catch (const Error&) {  // cut off, or not separated by this
    return out;
  }
  return out;
}

// The separator that cuts the most lines into as many fields as the first, and more than one.
char sniffed(std::string_view text) {
  char best = ',';
  std::size_t best_score = 0;
  for (const char separator : kSeparators) {
    const std::vector<std::size_t> counts = field_counts(text, separator);
    if (counts.empty() || counts[0] < 2) continue;
    const auto same = static_cast<std::size_t>(std::ranges::count(counts, counts[0]));
    const std::size_t score =
        same * 1000 / counts.size() * 100 + std::min<std::size_t>(counts[0], 99);
    if (score > best_score) {
      best = separator;
      best_score = score;
    }
  }
  return best;
}

bool is_value(std::string_view text) {
  TypeGuess guess;
  guess.add(text);
  return guess.type().kind != TypeKind::string || guess.ambiguous();
}

void check_line_ends(const TextSource& source) {
  const std::string_view text = source.window();
  const std::size_t feed = text.find('\n');
  if (feed + 1 < text.size() || text.find('\r') >= feed - 1) return;
  if (text.find('\r') != std::string_view::npos) {
    throw_error(ErrorCode::invalid_argument,
                "{} ends its lines with CR alone; convert it: tr '\\r' '\\n'", source.name());
  }
}

}  // namespace

CsvReader::CsvReader(TextSource& source, const CsvOptions& options) : source_(source) {
  source_.fill(kGuessBytes);
  check_line_ends(source_);
  shape_.separator = options.separator.value_or(sniffed(source_.window()));
  take_names(options);
  shape_.columns = names_.size();
}

void CsvReader::take_names(const CsvOptions& options) {
  if (options.names) {
    names_ = *options.names;
    return check_names(true);
  }
  const std::string_view text = source_.window();
  std::size_t blank = 0;
  while (blank < text.size() && (text[blank] == '\n' || text[blank] == '\r')) ++blank;
  source_.consume(blank);
  if (source_.window().empty())
    throw_error(ErrorCode::invalid_argument, "{} holds empty lines only", source_.name());
  std::size_t end = 0;
  std::string scratch;
  try {
    for (const std::string_view field : first_record(source_.window(), shape_.separator, end)) {
      names_.emplace_back(unquoted(field, scratch));
    }
  } catch (const Error& error) {
    throw_error(ErrorCode::invalid_argument, "{}:{}: {}", source_.name(), source_.line(),
                error.message());
  }
  check_names(options.header);
  std::string_view line = source_.window().substr(0, end - 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  shape_.header = line;
  source_.consume(end);
}

void CsvReader::check_names(bool forced) const {
  const std::string place = fmt::format("{}:{}", source_.name(), source_.line());
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const std::string& name = names_[i];
    if (name.empty()) {
      throw_error(ErrorCode::invalid_argument,
                  "{}: column {} has no name; name it there, or give --names for a file without a "
                  "line of names",
                  place, i + 1);
    }
    if (!model::utf8_valid(name) || name.find('\0') != std::string::npos) {
      throw_error(ErrorCode::invalid_argument,
                  "{}: the name of column {} is not UTF-8; convert the file, for example: iconv -f "
                  "LATIN1 -t UTF-8",
                  place, i + 1);
    }
    if (!forced && is_value(name)) {
      throw_error(ErrorCode::invalid_argument,
                  "{}: {} is a value, not the name of a column; for a file without a line of names "
                  "give --names A,B,C, and --header where it is a name",
                  place, quoted(name));
    }
    if (!seen.insert(name).second) {
      throw_error(ErrorCode::invalid_argument, "{}: two columns are called {}; rename one", place,
                  quoted(name));
    }
  }
}

void CsvReader::guess(std::vector<TypeGuess>& guesses, const std::vector<std::string>& nulls,
                      const OnBadLine& on_bad_line) {
  find_rows(rows_, source_.window(), source_.at_end(), shape_);
  if (on_bad_line) tell(rows_.bad, on_bad_line);
  std::string scratch;
  for (std::size_t column = 0; column < shape_.columns; ++column) {
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      const std::string_view text = unquoted(rows_.field(row, column), scratch);
      if (std::ranges::find(nulls, text) == nulls.end()) guesses[column].add(text);
    }
  }
}

void CsvReader::begin(const ReadPlan& plan, OnBadLine on_bad_line) {
  plan_ = plan;
  on_bad_line_ = std::move(on_bad_line);
  columns_ = match_columns(source_.name(), names_, plan_);
}

// The columns of the rows that were found; what is no value is added to the troubles.
Batch CsvReader::values(std::vector<BadLine>& troubles) {
  const Schema& schema = *plan_.schema;
  Batch out{.schema = plan_.schema, .rows = rows_.size(), .columns = {}};
  std::vector<std::uint32_t> all;
  std::vector<std::uint32_t> failed;
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    const Column& column = schema.columns[i];
    if (columns_[i] == SIZE_MAX) {
      out.columns.push_back(model::array_of_nulls(column.type, rows_.size()));
      continue;
    }
    const CellRules rules{.type = column.type,
                          .form = plan_.forms[i],
                          .nullable = column.nullable,
                          .nulls = &plan_.nulls};
    failed.clear();
    out.columns.push_back(read_cells(rows_, columns_[i], rules, failed));
    for (const std::uint32_t row : failed) {
      const std::string_view field = rows_.field(row, columns_[i]);
      std::string scratch;
      const std::size_t end = rows_.text.find('\n', rows_.ends[(row + 1) * rows_.columns - 1]);
      troubles.push_back(
          {rows_.begins[row], end + 1,
           fmt::format("column {}: {}{}", quoted(column.name), why_no_value(field, rules),
                       retype_remedy(plan_, column, unquoted(field, scratch)))});
    }
    all.insert(all.end(), failed.begin(), failed.end());
  }
  if (!all.empty()) leave_out(all);
  return out;
}

// Takes rows out of those that were found.
void CsvReader::leave_out(const std::vector<std::uint32_t>& failed) {
  const std::set<std::uint32_t> out(failed.begin(), failed.end());
  std::size_t kept = 0;
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    if (out.contains(static_cast<std::uint32_t>(row))) continue;
    rows_.begins[kept] = rows_.begins[row];
    const auto from = rows_.ends.begin() + std::ptrdiff_t(row * rows_.columns);
    std::copy(from, from + std::ptrdiff_t(rows_.columns),
              rows_.ends.begin() + std::ptrdiff_t(kept * rows_.columns));
    ++kept;
  }
  rows_.begins.resize(kept);
}

// Hands over troubles in the order of lines, one of each line.
void CsvReader::tell(std::vector<BadLine>& troubles, const OnBadLine& on_bad_line) const {
  std::ranges::sort(troubles, [](const BadLine& a, const BadLine& b) {
    return std::tie(a.begin, a.why) < std::tie(b.begin, b.why);
  });
  std::size_t at = 0;
  std::uint64_t line = source_.line();
  for (std::size_t i = 0; i < troubles.size(); ++i) {
    const BadLine& trouble = troubles[i];
    if (i != 0 && trouble.begin == troubles[i - 1].begin) continue;
    const std::string_view between = rows_.text.substr(at, trouble.begin - at);
    line += static_cast<std::uint64_t>(std::ranges::count(between, '\n'));
    at = trouble.begin;
    on_bad_line({source_.name(), line,
                 rows_.text.substr(trouble.begin, trouble.end - trouble.begin), trouble.why});
  }
}

bool CsvReader::next(Batch& out) {
  for (std::size_t wanted = kWindowBytes;; wanted *= 2) {
    source_.fill(wanted);
    if (source_.window().empty()) return false;
    find_rows(rows_, source_.window(), source_.at_end(), shape_);
    if (rows_.consumed == 0) continue;  // a record is longer than the window
    std::vector<BadLine> troubles = std::move(rows_.bad);
    out = values(troubles);
    if (!troubles.empty()) {
      tell(troubles, on_bad_line_);
      std::vector<BadLine> none;
      if (out.rows != rows_.size()) out = values(none);
    }
    source_.consume(rows_.consumed);
    if (out.rows != 0) return true;
    wanted = kWindowBytes / 2;
  }
}

}  // namespace otolith::files
