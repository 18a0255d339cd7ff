#include "scan/lookup.h"

#include <doctest/doctest.h>

#include <string>

#include "scan/segment_ids.h"
#include "test/scan_world.h"

namespace otolith::scan {

using namespace sample_world;

namespace {

// A collection of segments, each of one commit with the same ids: the newest shown wins.
struct Notes : World {
  static constexpr std::uint64_t kRows = 1000;

  explicit Notes(std::uint64_t commits) : World(1) {
    Schema made = collection_schema();
    for (std::uint32_t i = 0; i < made.columns.size(); ++i) made.columns[i].id = i + 1;
    schema = std::make_shared<const Schema>(std::move(made));
    snapshot = std::make_shared<PlainSnapshot>();
    snapshot->entry = {kDataset, "notes", schema};
    for (std::uint64_t begin = 1; begin <= commits; ++begin) add(begin, commits);
  }

  static std::string id_of(std::uint64_t number) { return "note " + std::to_string(number); }
  static std::string body_of(std::uint64_t number, std::uint64_t begin) {
    return "body " + std::to_string(number) + " of " + std::to_string(begin);
  }

  // Of note i the commit i % commits + 1 is shown, of each 7th none.
  static std::string truth(std::uint64_t number, std::uint64_t commits) {
    return number % 7 == 0 || number >= kRows ? "none" : body_of(number, number % commits + 1);
  }

  std::string found(const ScanContext& context, std::uint64_t number) const {
    IdLookup lookup(context, snapshot, snapshot->entry);
    const auto row = lookup.find(id_of(number));
    if (row) CHECK(row->begin == CommitNumber{number % snapshot->segment_list.size() + 1});
    const std::optional<std::string> body = row ? std::optional(row->body(*schema)) : std::nullopt;
    const auto known =
        context.store->known_ids().find(*context.store, snapshot, {std::nullopt, "notes"});
    if (known != nullptr) {
      const KnownLookup one(*known, *snapshot, &context.store->tail_ids());
      CHECK(one.body(id_of(number)) == body);
      CHECK(one.contains(id_of(number)) == body.has_value());
    }
    return body.value_or("none");
  }

 private:
  void add(std::uint64_t begin, std::uint64_t commits) {
    std::map<std::string, std::uint64_t> sorted;
    for (std::uint64_t number = 0; number < kRows; ++number) sorted[id_of(number)] = number;
    std::vector<Row> rows;
    for (const auto& [id, number] : sorted) {
      rows.push_back({id, kTimeOfCommit.ns, body_of(number, begin)});
      snapshot->shown[begin].push_back(truth(number, commits) == body_of(number, begin));
    }
    auto entry = write_segment(sample::spec_of(schema), {test::batch_of(schema, rows)},
                               {sample::run_of(*schema, rows)});
    entry.begin_first = entry.begin_last = CommitNumber{begin};
    snapshot->segment_list.push_back(entry);
  }
};

std::uint64_t indexed(SegmentStore& store, const Notes& notes) {
  return static_cast<std::uint64_t>(
      std::ranges::count_if(notes.snapshot->segment_list,
                            [&](const auto& entry) { return store.ids(entry) != nullptr; }));
}

}  // namespace

TEST_CASE("lookup: what is found without an index of ids is found with one") {
  const Notes notes(3);
  for (const bool map : {true, false}) {
    const auto store = std::make_shared<SegmentStore>(notes.vfs, sample::id_of(3),
                                                      StoreOptions{.map = map, .open_max = 8});
    const ScanContext context{store};
    CHECK(notes.found(context, 1) == Notes::truth(1, 3));
    CHECK(indexed(*store, notes) == 0);
    for (std::uint64_t number = 0; number < Notes::kRows + 20; ++number)
      REQUIRE(notes.found(context, number) == Notes::truth(number, 3));
    CHECK(indexed(*store, notes) == 3);
  }
}

TEST_CASE("lookup: indexes of ids take no more than they may; segments used last keep theirs") {
  const Notes notes(3);
  const auto& entries = notes.snapshot->segment_list;
  SegmentStore whole(notes.vfs, sample::id_of(3));
  const auto fill = [&](SegmentStore& store, std::size_t which) {
    const auto source = segment_source(store.open(kDataset, entries[which]), entries[which]);
    for (int i = 0; i < 4; ++i) store.ids_missed(entries[which], source, ColumnId{1});
  };
  fill(whole, 0);
  REQUIRE(whole.ids(entries[0]) != nullptr);
  const std::uint64_t one = whole.ids(entries[0])->memory();
  SegmentStore two(notes.vfs, sample::id_of(3), StoreOptions{.ids_bytes_max = one * 5 / 2});
  for (const std::size_t which : {0u, 1u, 2u}) fill(two, which);
  CHECK(indexed(two, notes) == 2);
  CHECK(two.ids(entries[0]) == nullptr);
  fill(two, 0);
  CHECK(two.ids(entries[0]) != nullptr);
  CHECK(indexed(two, notes) == 2);
  SegmentStore none(notes.vfs, sample::id_of(3), StoreOptions{.ids_bytes_max = one / 2});
  fill(none, 0);
  CHECK(indexed(none, notes) == 0);
}

}  // namespace otolith::scan
