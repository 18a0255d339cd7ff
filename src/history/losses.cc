#include "history/losses.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "base/log.h"
#include "base/mutant.h"
#include "history/field.h"

namespace otolith::history {

namespace {

template <typename Number>
std::string run_text(const char* what, Number first, Number last) {
  if (first == last) return fmt::format("{} {}", what, value_of(first));
  return fmt::format("{}s {} to {}", what, value_of(first), value_of(last));
}

}  // namespace

std::string LostRecords::text() const {
  const std::string records = run_text("record", first, last);
  if (commit_last > behind) {
    return fmt::format("{}, with {}", records, run_text("commit", next(behind), commit_last));
  }
  return fmt::format("{}, behind commit {}", records, value_of(behind));
}

void Losses::watch(RecordNumber record, CommitNumber commit, RecordNumber durable) {
  while (!own_.empty() && own_.front().record <= durable && !own_.front().dropped) {
    own_.pop_front();
  }
  if (record > durable) own_.push_back({record, commit, {}});
}

void Losses::dropped(CommitNumber last, RecordNumber stands,
                     const std::function<Hash256(CommitNumber)>& hash_of) {
  dropped_ = std::max(dropped_, last);
  if (mutant("own-drop-untold")) return;
  for (Place& place : own_) {
    if (place.record > stands && !place.dropped) place.dropped = hash_of(place.commit);
  }
}

void Losses::met(RecordNumber record, const std::optional<Hash256>& commit) {
  for (Place& place : own_) {
    if (place.record == record && place.dropped && place.dropped == commit) place.dropped.reset();
  }
  lose([&](const Place& place) { return place.dropped && place.record <= record; });
}

template <typename Among>
void Losses::lose(Among among) {
  if (mutant("own-loss-untold")) return;
  for (const Place& place : own_) {
    if (!among(place)) continue;
    own_lost_.push_back(place.commit);
    log_line(LogLevel::error,
             fmt::format("the relaxed commit {} of this process was lost", value_of(place.commit)));
  }
  std::erase_if(own_, among);
}

void Losses::note(const LostRecord& lost, CommitNumber stands) {
  const auto among = [&](const Place& place) {
    return place.record >= lost.first && place.record <= lost.last;
  };
  const CommitNumber read = std::exchange(dropped_, CommitNumber{0});
  LostRecords run{lost.first, lost.last, stands, read > stands ? read : CommitNumber{0}};
  if (!all_.empty() && all_.back().first == run.first) {  // a handle that may not write found it
    run.last = std::max(run.last, all_.back().last);
    run.commit_last = std::max(run.commit_last, all_.back().commit_last);
    all_.pop_back();
  }
  if (all_.size() == kLostRunsMax) all_.erase(all_.begin());
  all_.push_back(run);
  lose(among);
}

bool Losses::hold(RecordNumber record) const noexcept {
  const bool forgotten = all_.size() == kLostRunsMax && record < all_.front().first;
  return forgotten || std::ranges::any_of(all_, [&](const LostRecords& run) {
           return run.first <= record && record <= run.last;
         });
}

std::vector<CommitNumber> Losses::take_own() {
  lose([](const Place& place) { return place.dropped.has_value(); });
  return std::exchange(own_lost_, {});
}

void lost_records_write(ByteWriter& out, const std::vector<LostRecords>& all) {
  out.put_varint(all.size());
  for (const LostRecords& run : all) {
    number_write(out, run.first);
    number_write(out, run.last);
    number_write(out, run.behind);
    number_write(out, run.commit_last);
  }
}

std::vector<LostRecords> lost_records_read(ByteReader& in) {
  std::vector<LostRecords> all(in.get_count(4));
  if (all.size() > kLostRunsMax) in.fail("more lost records than are remembered");
  for (LostRecords& run : all) {
    run.first = record_number_read(in);
    run.last = record_number_read(in);
    run.behind = commit_number_read(in);
    run.commit_last = commit_number_read(in);
    if (run.last < run.first) in.fail("lost records out of order");
  }
  return all;
}

}  // namespace otolith::history
