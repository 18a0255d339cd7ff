#include "scan/shredded_proof.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/mutant.h"
#include "document/shred.h"
#include "model/array.h"
#include "segment/tasks.h"

namespace otolith::scan {

namespace {

constexpr std::uint64_t kStepRows = 8192;  // whole pages

bool same_value(const Array& a, const Array& b, std::uint64_t row) {
  if (a.is_null(row) || b.is_null(row)) return a.is_null(row) && b.is_null(row);
  if (model::is_text(a.type)) return a.text(row) == b.text(row);
  const std::uint64_t width = type_width(a.type);
  return std::ranges::equal(a.values.bytes.subspan(row * width, width),
                            b.values.bytes.subspan(row * width, width));
}

bool same_values(const Array& a, const Array& b) {
  for (std::uint64_t row = 0; row < a.length; ++row) {
    if (!same_value(a, b, row)) return false;
  }
  return true;
}

class Check {
 public:
  Check(const segment::SegmentReader& reader, const Schema& schema)
      : reader_(reader), shape_(reader.shape()) {
    const auto body = schema.kind == DatasetKind::collection ? schema.find(kDocumentBody)
                                                             : std::optional<std::size_t>();
    const auto bodies = body ? reader.find(ColumnId{schema.columns[*body].id}) : std::nullopt;
    if (!bodies) refuse(shape_.columns.front(), "has shredded paths and no documents");
    bodies_ = *bodies;
    std::vector<Column> columns;
    for (const segment::ShreddedPath& path : shape_.shredded) {
      columns_.push_back(*reader.find(path.column));
      columns.push_back({.name = path.path, .type = shape_.columns[columns_.back()].type});
    }
    try {
      shredder_.emplace(std::move(columns));
    } catch (const Error& error) {
      refuse(shape_.columns[columns_.front()], error.message());
    }
  }

  void rows(std::size_t group, std::uint64_t first) const {
    const std::uint64_t count =
        std::min<std::uint64_t>(kStepRows, shape_.row_groups[group].rows - first);
    const Array bodies = reader_.rows(group, bodies_, first, count);
    const std::vector<document::Shredded> found = shredder_->shred(bodies, 0, count);
    for (std::size_t i = 0; i < found.size(); ++i) {
      const segment::ShreddedPath& path = shape_.shredded[i];
      const segment::ColumnEntry& column = shape_.columns[columns_[i]];
      if (found[i].strays && !path.strays) refuse(column, "has strays that its footer denies");
      const Array stored = reader_.rows(group, columns_[i], first, count);
      if (!same_values(stored, found[i].values) && !mutant("verify-shredded-unread"))
        refuse(column, "does not hold what the documents say");
    }
  }

 private:
  [[noreturn]] void refuse(const segment::ColumnEntry& column, std::string_view what) const {
    throw_corrupt(reader_.name(), column.index_offset,
                  fmt::format("the segment is damaged: {} {}; restore the file from another copy",
                              segment::column_words(column.id), what));
  }

  const segment::SegmentReader& reader_;
  const segment::Footer& shape_;
  std::size_t bodies_ = 0;
  std::vector<std::size_t> columns_;
  std::optional<document::Shredder> shredder_;
};

}  // namespace

void check_shredded(const segment::SegmentReader& reader, const Schema& schema, unsigned threads) {
  if (reader.shape().shredded.empty()) return;
  const Check check(reader, schema);
  std::vector<std::pair<std::size_t, std::uint64_t>> steps;
  for (std::size_t group = 0; group < reader.shape().row_groups.size(); ++group) {
    for (std::uint64_t row = 0; row < reader.shape().row_groups[group].rows; row += kStepRows)
      steps.emplace_back(group, row);
  }
  segment::run_tasks(segment::threads_worth(threads, reader.shape().rows), steps.size(),
                     [&](unsigned, std::size_t i) { check.rows(steps[i].first, steps[i].second); });
}

}  // namespace otolith::scan
