// A table of random commits for tests of scan, and what brute force reads of it.
//
// Role:    scan_test.cc, filter_test.cc, statistics_test.cc.
// Shapes:  a few commits of up to 30 rows, in segments, in the tail, sealed together; some rows
//          shown, others not; columns that came later or were widened.
// Errors:  none of its own.
// Threads: thread-compatible.
// Why:     everything at once and at random: what goes wrong does so where two things meet.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/sim_disk.h"
#include "model/wire.h"
#include "scan/scan.h"
#include "scan/store.h"
#include "segment/path.h"
#include "test/segments.h"
#include "test/truth.h"

namespace otolith::scan::sample_world {

using segment::sample::Row;
namespace sample = segment::sample;

inline constexpr DatasetId kDataset{CommitNumber{1}, 0};

// A snapshot without a log: what each begin shows is said outright.
class PlainSnapshot final : public history::Snapshot {
 public:
  history::DatasetEntry entry;
  std::vector<history::SegmentEntry> segment_list;
  std::vector<history::TailEntry> tail_list;
  std::map<std::uint64_t, std::vector<bool>> shown;  // by begin, by ordinal

  CommitNumber number() const noexcept override { return CommitNumber{1000}; }
  std::vector<history::DatasetEntry> datasets() const override { return {entry}; }
  std::optional<history::DatasetEntry> find(std::string_view) const override { return entry; }
  std::optional<history::DatasetEntry> find(DatasetId) const override { return entry; }
  std::vector<history::SegmentEntry> segments(DatasetId) const override { return segment_list; }
  std::vector<history::TailEntry> tail(DatasetId) const override { return tail_list; }

  history::VisibleRows visible(DatasetId, CommitNumber begin, std::uint64_t rows) const override {
    const std::vector<bool>& bits = shown.at(value_of(begin));
    rows = std::min<std::uint64_t>(rows, bits.size());
    RowSet set;
    for (std::uint64_t ordinal = 0; ordinal < rows; ++ordinal) {
      if (bits[ordinal]) set.append({ordinal, 1});
    }
    return {std::move(set), rows, false, rows};
  }
  bool shows_all(DatasetId, CommitNumber first, CommitNumber last) const override {
    return std::ranges::all_of(shown, [&](const auto& begin) {
      const bool within = value_of(first) <= begin.first && begin.first <= value_of(last);
      return !within || std::ranges::all_of(begin.second, [](bool bit) { return bit; });
    });
  }
};

// Of a key that widened between both schemas, where it is a decimal.
inline constexpr Type kOldTag{TypeKind::decimal, 6, 2};
inline constexpr Type kNewTag{TypeKind::decimal, 9, 3};

// A row as brute force knows it.
struct Known {
  Row row;  // under the newest schema
  std::uint64_t begin = 0;
  std::uint64_t ordinal = 0;
};

// A table of random commits, some in segments, some in the tail, some sealed together.
struct World {
  io::SimDisk disk;
  std::shared_ptr<io::Vfs> vfs = disk.attach();
  test::Random random;
  std::shared_ptr<const Schema> old_schema;  // without column "late", with a narrower "wide"
  std::shared_ptr<const Schema> schema;
  std::shared_ptr<PlainSnapshot> snapshot = std::make_shared<PlainSnapshot>();
  std::vector<Known> visible;
  std::uint64_t segments = 0;

  explicit World(std::uint64_t seed) : random(seed) {
    make_schemas();
    vfs->make_dir(std::string(segment::kSegmentsFolder));
    for (std::uint64_t begin = 1, last = 1 + test::below(random, 6); begin <= last; ++begin) {
      switch (test::below(random, 3)) {
        case 0:
          add_segment(begin);
          break;
        case 1:
          add_tail(begin);
          break;
        default:
          add_sealed(begin, begin + test::below(random, 3));
          begin += 3;
      }
    }
    snapshot->entry = {kDataset, "t", schema};
  }

  void make_schemas() {
    Schema made = *sample::random_schema(random);
    made.duplicates = static_cast<Duplicates>(test::below(random, 3));
    const auto id = static_cast<std::uint32_t>(made.columns.size() + 1);
    made.columns.push_back({.name = "wide", .type = {TypeKind::int16}, .id = id});
    old_schema = std::make_shared<const Schema>(made);
    made.columns.back().type = {TypeKind::int64};
    if (const auto tag = made.find("tag"); tag && made.columns[*tag].type == kOldTag)
      made.columns[*tag].type = kNewTag;
    made.columns.push_back({.name = "late", .type = {TypeKind::string}, .id = id + 1});
    schema = std::make_shared<const Schema>(made);
  }

  // As of a commit before "wide" was widened: rows that it could not hold came later.
  void narrow() {
    Schema made = *schema;
    const std::size_t wide = *made.find("wide");
    made.columns[wide].type = {TypeKind::int16};
    schema = std::make_shared<const Schema>(made);
    snapshot->entry.schema = schema;
    std::erase_if(visible, [&](const Known& known) {
      const test::Cell& cell = known.row[wide];
      if (!cell || std::in_range<std::int16_t>(std::get<std::int64_t>(*cell))) return false;
      snapshot->shown.at(known.begin)[known.ordinal] = false;
      return true;
    });
  }

  std::shared_ptr<const Schema> some_schema() {
    return test::below(random, 2) == 0 ? old_schema : schema;
  }

  std::vector<Row> random_run(const Schema& of) {
    std::vector<Row> rows;
    const std::uint64_t from = test::below(random, 2) * test::below(random, 30);
    const std::uint64_t span = 1 + test::below(random, 30 - from);  // often apart from other runs'
    for (std::uint64_t i = 0, count = 1 + test::below(random, 30); i < count; ++i) {
      rows.push_back(sample::random_row(random, of, 1));
      rows.back()[of.time_index()] =
          static_cast<std::int64_t>(from + test::below(random, span)) * (sample::kHour / 4);
    }
    sample::sort_run(of, rows);
    return rows;
  }

  // A row of the old schema under the newest one.
  void widen(Row& row) const {
    row.push_back(std::nullopt);
    const auto tag = schema->find("tag");
    if (!tag || schema->columns[*tag].type != kNewTag) return;
    const Int128 units = model::int128_of(std::get<Decimal>(*row[*tag]));
    row[*tag] = model::decimal_of_int128(units * 10);
  }

  // Remembers rows of a commit, and decides which of them are shown.
  std::vector<Known> begin_rows(std::uint64_t begin, const std::vector<Row>& rows) {
    const std::uint64_t mode = test::below(random, 4);  // all, none, or some
    std::vector<Known> out;
    std::vector<bool>& shown = snapshot->shown[begin];
    for (const Row& row : rows) {
      out.push_back({row, begin, out.size()});
      if (row.size() < schema->columns.size()) widen(out.back().row);
      shown.push_back(mode == 0 || (mode >= 2 && test::below(random, 4) != 0));
      if (shown.back()) visible.push_back(out.back());
    }
    return out;
  }

  history::SegmentEntry write_segment(segment::SegmentSpec spec, const std::vector<Batch>& runs,
                                      const std::vector<model::Run>& layouts) {
    spec.header.segment = sample::id_of(++segments * 0x0101'0101);
    spec.header.dataset = kDataset;
    spec.threads = 2;
    vfs->make_dir(segment::segment_folder(spec.header.segment));
    const auto file = vfs->open(segment::segment_path(spec.header.segment), io::OpenMode::create);
    segment::SegmentWriter writer(*file, spec);
    for (std::size_t run = 0; run < runs.size(); ++run) {
      writer.begin_run(layouts[run]);
      writer.append(runs[run]);
      writer.end_run();
    }
    const segment::SegmentInfo info = writer.finish();
    return {{spec.header.segment, info.bytes, info.rows, info.footer_hash, info.time_min,
             info.time_max},
            {},
            {},
            spec.many};
  }

  void add_segment(std::uint64_t begin) {
    const auto of = some_schema();
    std::vector<Row> rows;
    std::vector<Batch> batches;
    std::vector<model::Run> layouts;
    for (std::uint64_t run = 0, runs = 1 + test::below(random, 2); run < runs; ++run) {
      const std::vector<Row> sorted = random_run(*of);
      batches.push_back(test::batch_of(of, sorted));
      layouts.push_back(sample::run_of(*of, sorted));
      rows.insert(rows.end(), sorted.begin(), sorted.end());
    }
    begin_rows(begin, rows);
    auto entry = write_segment(sample::spec_of(of), batches, layouts);
    entry.begin_first = entry.begin_last = CommitNumber{begin};
    snapshot->segment_list.push_back(entry);
  }

  void add_tail(std::uint64_t begin) {
    const auto of = some_schema();
    const std::vector<Row> rows = random_run(*of);
    begin_rows(begin, rows);
    history::TailEntry entry;
    entry.begin = CommitNumber{begin};
    entry.rows = rows.size();
    entry.bytes = std::make_shared<const Bytes>(
        model::wire_encode(test::batch_of(of, rows), {{sample::run_of(*of, rows)}}));
    entry.time_min = {INT64_MAX};
    entry.time_max = {-INT64_MAX};
    for (const Row& row : rows) {
      entry.time_min = std::min(entry.time_min, Timestamp{sample::time_of(*of, row)});
      entry.time_max = std::max(entry.time_max, Timestamp{sample::time_of(*of, row)});
    }
    snapshot->tail_list.push_back(entry);
  }

  bool stored_before(const Known& a, const Known& b) const {
    if (sample::stored_before(*schema, a.row, b.row)) return true;
    if (sample::stored_before(*schema, b.row, a.row)) return false;
    return std::tie(a.begin, a.ordinal) < std::tie(b.begin, b.ordinal);
  }

  void add_sealed(std::uint64_t first, std::uint64_t last) {
    std::vector<Known> all;
    for (std::uint64_t begin = first; begin <= last; ++begin) {
      for (Known& known : begin_rows(begin, random_run(*schema))) all.push_back(std::move(known));
    }
    std::ranges::sort(all, [&](const Known& a, const Known& b) { return stored_before(a, b); });
    std::vector<Row> rows;
    model::ArrayBuilder begins({TypeKind::uint64});
    model::ArrayBuilder ordinals({TypeKind::uint64});
    for (const Known& known : all) {
      rows.push_back(known.row);
      begins.append_value(known.begin);
      ordinals.append_value(known.ordinal);
    }
    Batch batch = test::batch_of(schema, rows);
    batch.columns.push_back(begins.finish());
    batch.columns.push_back(ordinals.finish());
    segment::SegmentSpec spec = sample::spec_of(schema);
    spec.many = true;
    auto entry = write_segment(spec, {batch}, {sample::run_of(*schema, rows)});
    entry.begin_first = CommitNumber{first};
    entry.begin_last = CommitNumber{last};
    snapshot->segment_list.push_back(entry);
  }

  // ------------------------------------------------------------------------------ brute force

  static bool key_matches(const test::Cell& cell, const KeyValue& value, Type type) {
    return key_value(cell, type) == value;
  }

  // A key's value as it is asked for.
  static KeyValue key_value(const test::Cell& cell, Type type) {
    if (const auto* units = std::get_if<Decimal>(&*cell)) return decimal_format(*units, type.scale);
    if (const auto* text = std::get_if<std::string>(&*cell)) return *text;
    if (const auto* number = std::get_if<std::uint64_t>(&*cell)) return *number;
    return std::get<std::int64_t>(*cell);
  }

  bool wanted(const ReadRequest& request, const Row& row) const {
    const std::int64_t time = sample::time_of(*schema, row);
    if (request.start && time < request.start->ns) return false;
    if (request.stop && time >= request.stop->ns) return false;
    for (const KeyFilter& filter : request.keys) {
      const test::Cell& cell = row[*schema->find(filter.column)];
      const Type type = schema->columns[*schema->find(filter.column)].type;
      const auto matches = [&](const KeyValue& value) { return key_matches(cell, value, type); };
      if (std::ranges::none_of(filter.values, matches)) return false;
    }
    return !request.where || truth_of(*request.where, *schema, row) == std::optional(true);
  }

  bool duplicates(const Row& a, const Row& b) const {
    return !sample::stored_before(*schema, a, b) && !sample::stored_before(*schema, b, a);
  }

  // Rows that no row of the same keys and time beats.
  std::vector<Known> after_policy() const {
    if (schema->duplicates == Duplicates::keep) return visible;
    std::vector<Known> out;
    for (const Known& row : visible) {
      const auto beats = [&](const Known& other) {
        const bool later = std::tie(other.begin, other.ordinal) > std::tie(row.begin, row.ordinal);
        const bool earlier =
            std::tie(other.begin, other.ordinal) < std::tie(row.begin, row.ordinal);
        return duplicates(row.row, other.row) &&
               (schema->duplicates == Duplicates::last ? later : earlier);
      };
      if (std::ranges::none_of(visible, beats)) out.push_back(row);
    }
    return out;
  }

  std::vector<Row> expected(const ReadRequest& request) const {
    std::vector<Known> rows = after_policy();
    std::erase_if(rows, [&](const Known& known) { return !wanted(request, known.row); });
    std::ranges::sort(rows, [&](const Known& a, const Known& b) {
      const std::int64_t left = sample::time_of(*schema, a.row);
      const std::int64_t right = sample::time_of(*schema, b.row);
      if (request.order == Order::time && left != right) return left < right;
      return stored_before(a, b);
    });
    if (request.reverse) std::ranges::reverse(rows);
    if (request.limit && rows.size() > *request.limit) rows.resize(*request.limit);
    std::vector<Row> out;
    for (const Known& known : rows) {
      out.emplace_back();
      for (const std::string& name : request.columns ? *request.columns : schema->names()) {
        out.back().push_back(known.row[*schema->find(name)]);
      }
    }
    return out;
  }

  ReadRequest random_request() {
    ReadRequest out;
    const auto time = [&] {  // often a row's own, or just behind it
      const auto quarter = static_cast<std::int64_t>(test::below(random, 31));
      const auto behind = static_cast<std::int64_t>(test::below(random, 2));
      return Timestamp{quarter * (sample::kHour / 4) + behind};
    };
    if (test::below(random, 2) == 0) out.start = time();
    if (test::below(random, 2) == 0) out.stop = time();
    for (const std::string& key : schema->keys) {
      if (test::below(random, 3) != 0) continue;
      KeyFilter filter{key, {}};
      for (std::uint64_t i = test::below(random, 4); i-- > 0;) {
        const Column& column = schema->columns[*schema->find(key)];
        Column asked = column;  // narrower values, so that some are found
        if (column.type == kNewTag) asked.type = kOldTag;
        test::Cell cell = test::random_cell(random, asked);
        if (column.type == kNewTag)
          cell = model::decimal_of_int128(model::int128_of(std::get<Decimal>(*cell)) * 10);
        filter.values.push_back(key_value(cell, column.type));
      }
      out.keys.push_back(filter);
    }
    if (test::below(random, 2) == 0) {
      std::vector<std::string> names = schema->names();
      std::ranges::shuffle(names, random);
      names.resize(test::below(random, names.size() + 1));
      out.columns = names;
    }
    if (test::below(random, 3) == 0) out.limit = test::below(random, 40);
    out.reverse = test::below(random, 3) == 0;
    out.order = test::below(random, 2) == 0 ? Order::time : Order::stored;
    return out;
  }

  ScanContext context() {
    const StoreOptions options{test::below(random, 2) == 0, 1 + test::below(random, 3)};
    return {std::make_shared<SegmentStore>(vfs, sample::id_of(3), options),
            static_cast<unsigned>(1 + test::below(random, 2)), 1 + test::below(random, 20)};
  }
};

inline std::vector<Row> read(const ScanContext& context, const World& world,
                             const ReadRequest& request) {
  Scan scan(context, world.snapshot, world.snapshot->entry, request);
  std::vector<Row> out;
  std::vector<Batch> batches;
  // Piece by piece, all at once, or the first piece and then the rest.
  static std::uint64_t turn = 0;
  if (++turn % 3 != 0) {
    while (auto batch = scan.next()) {
      batches.push_back(*std::move(batch));
      if (turn % 3 == 1) break;
    }
  }
  for (Batch& batch : scan.rest()) batches.push_back(std::move(batch));
  for (const Batch& batch : batches) {
    REQUIRE(batch.rows != 0);
    for (const Array& column : batch.columns) REQUIRE(column.length == batch.rows);
    for (Row& row : test::rows_of(batch)) out.push_back(std::move(row));
  }
  std::vector<Row> at_once;
  Scan whole(context, world.snapshot, world.snapshot->entry, request);
  for (const Batch& batch : whole.rest()) {
    for (Row& row : test::rows_of(batch)) at_once.push_back(std::move(row));
  }
  REQUIRE(test::same_rows(out, at_once));
  return out;
}

}  // namespace otolith::scan::sample_world
