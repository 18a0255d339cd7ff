#include "scan/asof.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "base/mutant.h"
#include "model/array.h"
#include "model/compare.h"
#include "model/gather.h"
#include "scan/piece_keys.h"
#include "scan/policy.h"
#include "scan/prune.h"
#include "scan/row_ids.h"
#include "scan/walk.h"

namespace otolith::scan {

namespace {

// The key of a row as bytes that are equal where keys are.
std::string key_bytes(const std::vector<Array>& keys, std::uint64_t row) {
  std::string out;
  for (const Array& key : keys) {
    if (model::is_text(key.type)) {
      const std::string_view text = key.text(row);
      const std::uint64_t length = text.size();
      out.append(reinterpret_cast<const char*>(&length), sizeof length).append(text);
    } else {
      const std::uint32_t width = type_width(key.type);
      out.append(reinterpret_cast<const char*>(key.values.bytes.data()) + row * width, width);
    }
  }
  return out;
}

template <typename T>
std::uint64_t distinct(std::vector<T> sorted) {
  const auto again = std::ranges::unique(sorted);
  return sorted.size() - again.size();
}

std::uint64_t distinct_values(const KeyTest& test) {
  std::vector<std::uint64_t> large = test.unsigned_values;
  std::erase_if(large, [](std::uint64_t value) { return value <= INT64_MAX; });
  return distinct(test.signed_values) + distinct(std::move(large)) + distinct(test.texts) +
         distinct(test.decimals);
}

// How many keys can be found at most; nullopt where keys are not all named.
std::optional<std::uint64_t> keys_asked(const Wanted& wanted, const Schema& schema) {
  if (schema.keys.empty()) return 1;
  std::uint64_t keys = 1;
  for (const std::string& name : schema.keys) {
    const ColumnId id{schema.columns[*schema.find(name)].id};
    const auto test = std::ranges::find(wanted.keys, id, &KeyTest::column);
    if (test == wanted.keys.end()) return std::nullopt;
    if (__builtin_mul_overflow(keys, distinct_values(*test), &keys)) return std::nullopt;
  }
  return keys;
}

class LastOfKeys {
 public:
  LastOfKeys(const ScanContext& context, const history::DatasetEntry& dataset,
             std::optional<std::uint64_t> asked)
      : threads_(context.threads), schema_(*dataset.schema), asked_(asked) {
    for (const std::size_t key : schema_.key_indexes()) keys_.push_back(schema_.columns[key]);
    time_ = schema_.columns[schema_.time_index()];
  }

  bool all_found() const noexcept { return asked_ && found_.size() >= *asked_; }

  /// A partition before all that were taken.
  void take(std::vector<Unit> partition) {
    settled_ = units_.size();
    hide_duplicates(partition, schema_, threads_);
    std::ranges::sort(partition, std::greater<>(), &Unit::time_max);
    for (Unit& unit : partition) {
      if (all_found() && unit.time_max < first_time()) return;
      take(unit);
    }
  }

  /// Of each key its last row.
  std::vector<Batch> rows(std::shared_ptr<const Schema> result,
                          const std::vector<std::size_t>& columns) {
    if (found_.empty()) return {};
    keep_found();
    const std::vector<std::uint32_t> order = by_key();
    Batch out{.schema = std::move(result), .rows = order.size(), .columns = {}};
    for (const std::size_t column : columns)
      out.columns.push_back(model::gather(values_of(schema_.columns[column]), order));
    return {std::move(out)};
  }

 private:
  // A row of one key: its unit among those kept, its place in it, and what tells which is the last.
  struct Found {
    std::size_t unit = 0;
    std::uint64_t row = 0;
    std::tuple<std::int64_t, CommitNumber, std::uint64_t> when;  // time, begin, ordinal
  };

  // The last rows of keys within each piece of a unit.
  Unit last_rows(const Unit& unit) const {
    Unit out{unit.source, {}, 0, unit.time_min, unit.time_max};
    if (keys_.empty()) {
      out.parts.push_back({unit.parts.back().piece, unit.parts.back().ranges.last_rows(1)});
      out.rows = 1;
      return out;
    }
    for (const Selected& part : unit.parts) {
      out.parts.push_back({part.piece, last_of_keys(*unit.source, part)});
      out.rows += out.parts.back().ranges.rows();
    }
    return out;
  }

  RowSet last_of_keys(const RowSource& source, const Selected& part) const {
    PieceKeys keys(source, part.piece, keys_);
    std::vector<std::uint64_t> last;
    for (const RowRange& range : part.ranges) {
      for (std::uint64_t row = range.first; row < range.end();) {
        const std::uint64_t end = keys.key_end(row, range.end());
        if (!last.empty() && keys.same(last.back(), row)) last.pop_back();
        last.push_back(mutant("asof-row-before-last") && end - row > 1 ? end - 2 : end - 1);
        row = end;
      }
    }
    RowSet out;
    for (const std::uint64_t row : last) out.append({row, 1});
    return out;
  }

  void take(const Unit& unit) {
    Unit last = last_rows(unit);
    std::vector<Array> keys;
    for (const Column& column : keys_) keys.push_back(values_of(last, column));
    std::vector<std::pair<std::string, std::uint64_t>> open;  // of keys that are not settled
    for (std::uint64_t row = 0; row < last.rows; ++row) {
      std::string key = key_bytes(keys, row);
      const auto at = found_.find(key);
      if (at != found_.end() && at->second.unit < settled_) continue;
      open.emplace_back(std::move(key), row);
    }
    if (open.empty()) return;
    const Array times = values_of(last, time_);
    const RowIds ids(last);
    for (auto& [key, row] : open) {
      const Found row_found{
          units_.size(), row, {times.value<std::int64_t>(row), ids.begin(row), ids.ordinal(row)}};
      const auto [at, fresh] = found_.try_emplace(std::move(key), row_found);
      if (!fresh && at->second.when < row_found.when) at->second = row_found;
    }
    units_.push_back(std::move(last));
  }

  std::int64_t first_time() const {
    std::int64_t first = kTimestampMax.ns;
    for (const auto& [key, found] : found_) first = std::min(first, std::get<0>(found.when));
    return mutant("asof-stops-at-first-unit") ? kTimestampMax.ns : first;
  }

  void keep_found() {
    std::vector<std::uint64_t> starts{0};
    for (const Unit& unit : units_) starts.push_back(starts.back() + unit.rows);
    std::vector<bool> chosen(starts.back());
    for (const auto& [key, found] : found_) chosen[starts[found.unit] + found.row] = true;
    keep_chosen(units_, chosen);
  }

  std::vector<std::uint32_t> by_key() const {
    std::vector<std::uint32_t> order(rows_in(units_));
    std::iota(order.begin(), order.end(), 0u);
    std::vector<Array> keys;
    for (const Column& column : keys_) keys.push_back(values_of(column));
    std::vector<const Array*> pointers;
    for (const Array& key : keys) pointers.push_back(&key);
    std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) {
      return model::row_compare(pointers, a, pointers, b) < 0;
    });
    return order;
  }

  Array values_of(const Column& column) const {
    io::Scratch memory;
    return units_values(units_, column, threads_, memory);
  }
  static Array values_of(const Unit& unit, const Column& column) {
    io::Scratch memory;
    return units_values({&unit, 1}, column, 1, memory);
  }

  const unsigned threads_;
  const Schema& schema_;
  const std::optional<std::uint64_t> asked_;
  std::vector<Column> keys_;
  Column time_;
  std::vector<Unit> units_;  // last rows of keys
  std::size_t settled_ = 0;  // rows of units before are the last of their keys
  std::unordered_map<std::string, Found> found_;
};

}  // namespace

LastRows asof(const ScanContext& context, const std::shared_ptr<const history::Snapshot>& snapshot,
              const history::DatasetEntry& dataset, const AsofRequest& request) {
  ReadRequest before{.columns = request.columns, .keys = request.keys};
  if (request.at < kTimestampMax) before.stop = Timestamp{request.at.ns + 1};
  Wanted wanted = wanted_of(before, *dataset.schema);
  const std::vector<std::size_t> columns = wanted.columns;
  LastRows out;
  Schema result = *dataset.schema;
  result.columns.clear();
  for (const std::size_t column : columns)
    result.columns.push_back(dataset.schema->columns[column]);
  out.schema = std::make_shared<const Schema>(std::move(result));
  LastOfKeys last(context, dataset, keys_asked(wanted, *dataset.schema));
  Walk walk(context.store, snapshot, dataset, std::move(wanted), true);
  while (!last.all_found()) {
    std::vector<Unit> partition = walk.next();
    if (partition.empty()) break;
    ++out.partitions;
    last.take(std::move(partition));
  }
  out.batches = last.rows(out.schema, columns);
  return out;
}

}  // namespace otolith::scan
