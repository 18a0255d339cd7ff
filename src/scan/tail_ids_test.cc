#include "scan/tail_ids.h"

#include <doctest/doctest.h>

#include "model/array.h"
#include "model/wire.h"
#include "test/scan_world.h"

namespace otolith::scan {

namespace {

// A collection whose tail is said outright.
struct Tail {
  std::shared_ptr<const Schema> schema = with_ids();
  sample_world::PlainSnapshot snapshot;
  std::uint64_t number = 1000;

  Tail() { snapshot.entry = {sample_world::kDataset, "notes", schema}; }

  static std::shared_ptr<const Schema> with_ids() {
    Schema made = collection_schema();
    for (std::uint32_t i = 0; i < made.columns.size(); ++i) made.columns[i].id = i + 1;
    return std::make_shared<const Schema>(std::move(made));
  }

  void add(std::uint64_t begin, const std::vector<std::string>& ids) {
    model::ArrayBuilder id({TypeKind::string});
    model::ArrayBuilder time({TypeKind::timestamp});
    model::ArrayBuilder body({TypeKind::binary});
    for (const std::string& text : ids) {
      id.append_text(text);
      time.append_value(kTimeOfCommit.ns);
      body.append_text("x");
    }
    const Batch batch{schema, ids.size(), {id.finish(), time.finish(), body.finish()}};
    const model::RowLayout layout{{model::Run{{0, ids.size()}}}};
    Bytes bytes = model::wire_encode(batch, layout);
    snapshot.tail_list.push_back({CommitNumber{begin}, ids.size(),
                                  std::make_shared<const Bytes>(std::move(bytes)), kTimeOfCommit,
                                  kTimeOfCommit});
  }

  std::vector<std::uint64_t> find(TailIds& ids, const std::string& id) const {
    std::vector<std::uint64_t> out;
    for (const TailPlace& place : ids.find(snapshot, snapshot.entry, id))
      out.push_back(value_of(*place.source->begin()) * 10 + place.row);
    return out;
  }
};

using Places = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("tail ids: rows of an id are found newest first, and each commit is read once") {
  Tail tail;
  TailIds ids;
  CHECK(tail.find(ids, "a").empty());
  tail.add(3, {"a", "b"});
  tail.add(5, {"a"});
  CHECK(tail.find(ids, "a") == Places{50, 30});
  CHECK(tail.find(ids, "b") == Places{31});
  CHECK(tail.find(ids, "c").empty());
  tail.add(9, {"c"});
  CHECK(tail.find(ids, "c") == Places{90});
  CHECK(tail.find(ids, "a") == Places{50, 30});
  CHECK(ids.entries_read() == 3);
}

TEST_CASE("tail ids: what was sealed is not found, and a snapshot of before finds it still") {
  Tail tail;
  TailIds ids;
  for (std::uint64_t begin = 1; begin <= 200; ++begin) tail.add(begin, {"a"});
  CHECK(tail.find(ids, "a").size() == 200);
  const Tail before = tail;
  tail.snapshot.tail_list.erase(tail.snapshot.tail_list.begin(),
                                tail.snapshot.tail_list.begin() + 190);
  CHECK(tail.find(ids, "a").size() == 10);
  CHECK(before.find(ids, "a").size() == 200);
  CHECK(tail.find(ids, "a").size() == 10);
  CHECK(ids.entries_read() == 210);
}

TEST_CASE("tail ids: commits that were lost are forgotten, though others have their numbers") {
  Tail tail;
  TailIds ids;
  tail.add(3, {"a"});
  tail.add(5, {"b"});
  CHECK(tail.find(ids, "b") == Places{50});
  tail.snapshot.tail_list.pop_back();
  tail.add(4, {"b"});
  tail.add(5, {"c"});
  CHECK(tail.find(ids, "b") == Places{40});
  CHECK(tail.find(ids, "c") == Places{50});
}

}  // namespace otolith::scan
