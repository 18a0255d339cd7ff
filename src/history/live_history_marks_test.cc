// Marks that stand in files of their own: listed, verified, forgotten with their commits.
#include <doctest/doctest.h>

#include "history/history_fixture.h"

namespace otolith::history {

using namespace test;

namespace {

using Files = std::map<Id128, MarkList>;

// Ends the first row of a commit; the marks stand in the file with this number.
CommitRequest end_by_file(Files& files, std::uint64_t begin, std::uint64_t file, bool relaxed) {
  DatasetChange change;
  change.dataset = kFirst;
  change.marks = {{CommitNumber{begin}, 0, 1, false}};
  change.marks_segment = SegmentRef{id_of(file), 100, 0, file, {}, {}};
  files[id_of(file)] = change.marks;
  return request_of({change}, relaxed);
}

std::vector<Id128> files_of_marks(History& history) {
  std::vector<Id128> ids;
  for (const NeededSegment& needed : history.all_segments()) {
    if (!needed.marks) continue;
    CHECK(needed.dataset == kFirst);
    ids.push_back(needed.entry.ref.id);
  }
  return ids;
}

}  // namespace

TEST_CASE("history: files of marks are listed among the segments that commits need") {
  Files files;
  Ground ground;
  ground.options.read_marks = [&](const SegmentRef& ref) { return files.at(ref.id); };
  auto history = ground.open();
  history->commit(create_request("a"));
  history->commit(put(kFirst, "two"));
  history->commit(put(kFirst, "three"));
  history->commit(end_by_file(files, 2, 91, false));
  history->commit(end_by_file(files, 3, 92, true));
  const std::vector both{id_of(91), id_of(92)};
  CHECK(files_of_marks(*history) == both);
  CHECK(shown(*history->head(), kFirst).empty());
  const auto problems = [&] {
    std::size_t count = 0;
    history->verify([&](const Error&) { ++count; });
    return count;
  };
  CHECK(problems() == 0);
  const MarkList good = std::exchange(files[id_of(92)], MarkList{{CommitNumber{3}, 0, 2, false}});
  CHECK(problems() == 1);
  files[id_of(92)] = good;
  SUBCASE("from a checkpoint") { history->close(); }
  SUBCASE("from the log") { remove_derived(ground); }
  history.reset();
  history = ground.open();
  CHECK(files_of_marks(*history) == both);
  history.reset();
  remove_derived(ground);
  ground.options.segment_ok = [](const SegmentRef& ref) { return ref.footer_hash != 92; };
  history = ground.open();  // the relaxed commit is lost where nobody has vouched for its file
  const bool lost = history->head()->number() == CommitNumber{4};
  CHECK(files_of_marks(*history) == (lost ? std::vector{id_of(91)} : both));
}

}  // namespace otolith::history
