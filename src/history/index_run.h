// One file of the index: an unbroken range of commits, with look-up by hash and by change id.
//
// Role:    what CommitIndex keeps on disk, and what it joins into larger ones.
// Shapes:  1 … kIndexRunCommitsMax commits. Header, entries by number, two tables sorted by key,
//          texts. docs/format/checkpoint.md draws it.
// Errors:  corrupt (file, offset) for damage, also from look-ups; not_found if the file is missing.
// Threads: thread-compatible.
// Why:     never changed once written, so a torn one is seen and another process may read it
//          meanwhile.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "history/checked_pages.h"
#include "history/commit_meta.h"

namespace otolith::history {

/// Commits on their way into a run: entries' heap offsets count from the start of `heap`.
struct RunContent {
  CommitNumber first{0};
  Hash256 hash_before;  // of commit first - 1; zero for the first
  std::vector<MetaEntry> entries;
  Bytes heap;

  CommitNumber last() const noexcept { return CommitNumber{value_of(first) + entries.size() - 1}; }
};

class IndexRun {
 public:
  /// Writes the run under a temporary name and renames it; durable on return but for the directory.
  static std::string write(io::Vfs& vfs, const Id128& database, const RunContent& content);
  /// The range a file name tells; nullopt if it is no run's name.
  static std::optional<std::pair<CommitNumber, CommitNumber>> range_of(const std::string& name);
  static std::string name_of(CommitNumber first, CommitNumber last);

  /// `name` within index/. Reads the header only.
  IndexRun(io::Vfs& vfs, const Id128& database, const std::string& name);
  /// A file that lies anywhere, named as in index/, of whatever database.
  IndexRun(std::unique_ptr<io::File> file, const std::string& name);

  CommitNumber first() const noexcept { return first_; }
  CommitNumber last() const noexcept { return CommitNumber{value_of(first_) + count_ - 1}; }
  std::uint64_t count() const noexcept { return count_; }
  std::uint64_t text_bytes() const noexcept { return heap_bytes_; }
  const Hash256& hash_before() const noexcept { return hash_before_; }
  const std::string& name() const noexcept { return name_; }
  const Id128& database() const noexcept { return database_; }

  MetaEntry entry(CommitNumber number) const;
  Bytes text(const MetaEntry& entry) const;
  /// Commits whose hash begins with these hex digits, at most `most` of them.
  void find_hash(std::string_view prefix, std::size_t most, std::vector<CommitNumber>& found) const;
  std::optional<CommitNumber> find_change(const Id128& change) const;
  /// Everything, to be joined with the run behind it.
  RunContent content() const;
  /// Reads all of it: texts that can be read, and tables that lead to every commit, each once. Its
  /// size bounds the time that takes, whatever it holds.
  void check() const;

 private:
  struct Key {
    std::uint64_t key = 0;
    std::uint32_t index = 0;
  };
  Key key_at(std::uint64_t table, std::uint64_t i) const;
  std::uint64_t lower_bound(std::uint64_t table, std::uint64_t key) const;

  [[noreturn]] void refuse(const char* why = "not a run of this database's index") const;
  template <typename KeyOf>
  void check_table(std::uint64_t table, const std::vector<MetaEntry>& entries, KeyOf key_of) const;

  std::string name_;
  Id128 database_;
  CheckedPages pages_;
  CommitNumber first_{0};
  std::uint64_t count_ = 0;
  std::uint64_t heap_bytes_ = 0;
  Hash256 hash_before_;
};

}  // namespace otolith::history
