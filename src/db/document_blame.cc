// Who set which value of a document.
#include <map>
#include <unordered_map>

#include "base/error.h"
#include "base/mutant.h"
#include "document/leaves.h"
#include "document/value.h"
#include "otolith/collection.h"

namespace otolith {

namespace {

document::Value body_of(const DocumentRevision& revision) {
  return document::Value(as_bytes_view(revision.document->body()));
}

// Values that nobody was found for yet, from the newest revision on.
class Open {
 public:
  explicit Open(const document::Value& newest)
      : leaves_(document::leaves(newest)), set_by_(leaves_.size()) {
    for (std::size_t i = 0; i < leaves_.size(); ++i) open_.push_back(i);
  }

  bool empty() const noexcept { return open_.empty(); }

  /// All that are open are this commit's.
  void all_of(CommitNumber commit) {
    for (const std::size_t leaf : open_) set_by_[leaf] = commit;
    open_.clear();
  }

  /// Those that are not so in the revision before it are this commit's.
  void unlike(const document::Value& before, CommitNumber commit) {
    std::unordered_map<std::string, document::Leaf> was;
    for (document::Leaf& leaf : document::leaves(before)) was.emplace(leaf.path, std::move(leaf));
    std::erase_if(open_, [&](std::size_t leaf) {
      const document::Leaf& is = leaves_[leaf];
      const auto found = was.find(is.path);
      const bool same = found != was.end() && found->second.value == is.value &&
                        (found->second.holders == is.holders || mutant("blame-by-path-alone"));
      if (!same) set_by_[leaf] = commit;
      return !same;
    });
  }

  template <typename Take>
  void each(Take take) const {
    for (std::size_t i = 0; i < leaves_.size(); ++i) take(leaves_[i], set_by_[i]);
  }

 private:
  std::vector<document::Leaf> leaves_;
  std::vector<CommitNumber> set_by_;
  std::vector<std::size_t> open_;
};

void blame_all(Open& open, const std::vector<DocumentRevision>& newest_first) {
  for (std::size_t i = 0; i < newest_first.size() && !open.empty(); ++i) {
    const CommitNumber commit = newest_first[i].commit;
    const DocumentRevision* before = i + 1 < newest_first.size() ? &newest_first[i + 1] : nullptr;
    if (before == nullptr || !before->document || mutant("blame-last-revision"))
      open.all_of(commit);
    else
      open.unlike(body_of(*before), commit);
  }
}

}  // namespace

std::vector<PathBlame> Collection::blame(std::string_view id) const {
  std::vector<DocumentRevision> found = revisions(id);
  if (found.empty() || !found.front().document) {
    throw_error(ErrorCode::not_found, "there is no document {} in {}; `revisions` tells its past",
                quoted(id), quoted(name()));
  }
  const CommitNumber shown = found.front().commit;
  std::erase_if(found, [&](const DocumentRevision& of) { return of.commit > shown; });
  Open open(body_of(found.front()));
  blame_all(open, found);
  std::vector<PathBlame> out;
  std::map<CommitNumber, Commit> commits;
  open.each([&](const document::Leaf& leaf, CommitNumber commit) {
    auto at = commits.find(commit);
    if (at == commits.end()) at = commits.emplace(commit, commit_of(commit)).first;
    out.push_back({leaf.path, {std::string(as_text(leaf.value.bytes()))}, at->second});
  });
  return out;
}

}  // namespace otolith
