// A history without a log: it remembers what it is asked, and answers as it is told.
//
// Role:    tests of ingest: what a commit or a seal hands over, and what happens where it fails.
// Errors:  `fails` is thrown by commit and seal, `at_fails` by at.
// Threads: thread-compatible.
// Why:     outcomes that the real one reaches only by faults, said outright. What both do together
//          is tested over the real one.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "history/history.h"

namespace otolith::test {

class PlainSnapshot final : public history::Snapshot {
 public:
  std::vector<history::SegmentEntry> named;
  std::map<DatasetId, history::DatasetEntry> entries;

  CommitNumber number() const noexcept override { return CommitNumber{1}; }
  std::vector<history::DatasetEntry> datasets() const override { return {}; }
  std::optional<history::DatasetEntry> find(std::string_view) const override { return {}; }
  std::optional<history::DatasetEntry> find(DatasetId dataset) const override {
    const auto found = entries.find(dataset);
    return found == entries.end() ? std::nullopt : std::optional(found->second);
  }
  std::vector<history::SegmentEntry> segments(DatasetId) const override { return named; }
  std::vector<history::TailEntry> tail(DatasetId) const override { return {}; }
  history::VisibleRows visible(DatasetId, CommitNumber, std::uint64_t) const override { return {}; }
  bool shows_all(DatasetId, CommitNumber, CommitNumber) const override { return false; }
};

class PlainHistory final : public history::History {
 public:
  std::vector<history::CommitRequest> commits;
  std::vector<history::SealRequest> seals;
  std::function<void()> while_committing;
  std::optional<Error> fails;
  std::optional<Error> at_fails;
  bool seal_answer = true;
  std::uint64_t checkpoints = 0;
  std::uint64_t left = 0;  // seals that left some of the tail
  std::shared_ptr<PlainSnapshot> snapshot = std::make_shared<PlainSnapshot>();
  std::vector<std::pair<DatasetId, std::vector<history::TailEntry>>> tails;
  std::shared_ptr<const Schema> schema;

  Commit commit(history::CommitRequest request) override {
    commits.push_back(std::move(request));
    if (while_committing) while_committing();
    if (fails) throw Error(*fails);
    return commit_info(CommitNumber{commits.size()});
  }
  bool seal(const history::SealRequest& request) override {
    seals.push_back(request);
    if (while_committing) while_committing();
    if (fails) throw Error(*fails);
    return seal_answer;
  }
  std::shared_ptr<const history::Snapshot> head() override { return snapshot; }
  std::shared_ptr<const history::Snapshot> readable() override { return head(); }
  std::shared_ptr<const history::Snapshot> at(CommitNumber) override {
    if (at_fails) throw Error(*at_fails);
    return snapshot;
  }
  std::shared_ptr<const history::Snapshot> renew(const history::Snapshot&) override {
    return nullptr;
  }
  CommitNumber resolve(std::string_view) override { return {}; }
  CommitNumber resolve_time(Timestamp) override { return {}; }
  Commit commit_info(CommitNumber number) override {
    Commit out;
    out.number = number;
    return out;
  }
  history::StatesApart apart(CommitNumber, CommitNumber, std::optional<DatasetId>) override {
    return {};
  }
  history::StatesApart preview(history::CommitRequest) override { return {}; }
  CommitNumber durable_head() override { return CommitNumber{commits.size()}; }
  std::vector<Commit> log(const LogFilter&) override { return {}; }
  void tag(const std::string&, CommitNumber) override {}
  void untag(const std::string&) override {}
  std::map<std::string, CommitNumber> tags() override { return {}; }
  bool seal_due(std::uint64_t) override { return !tails.empty(); }
  RecordNumber seal_point() override { return RecordNumber{7}; }
  std::vector<std::pair<DatasetId, std::vector<history::TailEntry>>> tail_until(
      RecordNumber) override {
    return tails;
  }
  std::shared_ptr<const Schema> schema_of(DatasetId dataset) override {
    const auto found = snapshot->entries.find(dataset);
    return found == snapshot->entries.end() ? schema : found->second.schema;
  }
  void seal_left() override { ++left; }
  bool compact(const history::CompactRequest&) override { return false; }
  void checkpoint() override { ++checkpoints; }
  void sync() override {}
  std::vector<history::NeededSegment> all_segments() override { return {}; }
  std::vector<Id128> unneeded(const std::vector<Id128>&, bool) override { return {}; }
  history::StripReport strip_log(std::size_t) override { return {}; }
  history::LogStatus status() override { return {}; }
  void verify(const std::function<void(const Error&)>&,
              const std::function<void(const history::RowsProof&)>&) override {}
  void close() override {}
};

}  // namespace otolith::test
