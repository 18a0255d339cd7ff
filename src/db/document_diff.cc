// Documents that differ between two states, one by one.
#include "base/stopping.h"
#include "db/collection_place.h"
#include "document/difference.h"
#include "otolith/diff.h"
#include "scan/document_pairs.h"

namespace otolith {

namespace {

constexpr std::size_t kChangesAtOnce = 256;

scan::DocumentCursor cursor(const db::DocumentState& state) {
  return {state.context(), state.snapshot(), *state.dataset(), true};
}

PathChange::Kind kind_of(document::Difference::Kind kind) {
  switch (kind) {
    case document::Difference::Kind::added:
      return PathChange::Kind::added;
    case document::Difference::Kind::removed:
      return PathChange::Kind::removed;
    default:
      return PathChange::Kind::changed;
  }
}

DocumentValue value_of(const document::Value& value) {
  return {std::string(as_text(value.bytes()))};
}

PathChange change_of(document::Difference&& difference) {
  PathChange out{.kind = kind_of(difference.kind), .path = std::move(difference.path)};
  if (out.kind != PathChange::Kind::added) out.before = value_of(difference.before);
  if (out.kind != PathChange::Kind::removed) out.after = value_of(difference.after);
  return out;
}

}  // namespace

std::vector<PathChange> DocumentChange::paths() const {
  std::vector<PathChange> out;
  if (!before || !after) return out;
  const auto value = [](const DocumentEntry& entry) {
    return document::Value(as_bytes_view(entry.document.body()));
  };
  for (document::Difference& found : document::differences(value(*before), value(*after)))
    out.push_back(change_of(std::move(found)));
  return out;
}

struct DocumentChangeStream::State {
  db::DocumentState before;
  db::DocumentState after;
  scan::DocumentPairs pairs;

  State(db::Hall& hall, const db::CollectionPlace& of_before, const db::CollectionPlace& of_after)
      : before(hall, of_before), after(hall, of_after), pairs(cursor(before), cursor(after)) {}

  std::vector<DocumentChange> next() {
    std::vector<DocumentChange> out;
    stop_point();
    while (out.size() < kChangesAtOnce) {
      const auto pair = pairs.next();
      if (!pair) break;
      out.push_back({std::string(pair->id), entry(before, pair->before, pair->id),
                     entry(after, pair->after, pair->id)});
    }
    return out;
  }

 private:
  static std::optional<DocumentEntry> entry(db::DocumentState& state,
                                            const std::optional<scan::DocumentSide>& side,
                                            std::string_view id) {
    if (!side) return std::nullopt;
    return state.entry(side->row, side->time, id, side->body);
  }
};

DocumentChangeStream::DocumentChangeStream(std::unique_ptr<State> state)
    : state_(std::move(state)) {}
DocumentChangeStream::DocumentChangeStream(DocumentChangeStream&&) noexcept = default;
DocumentChangeStream& DocumentChangeStream::operator=(DocumentChangeStream&&) noexcept = default;
DocumentChangeStream::~DocumentChangeStream() = default;

std::vector<DocumentChange> DocumentChangeStream::next() { return state_->next(); }

DocumentDiff::DocumentDiff(std::shared_ptr<db::Hall> hall,
                           std::shared_ptr<const db::CollectionPlace> before,
                           std::shared_ptr<const db::CollectionPlace> after)
    : hall_(std::move(hall)), before_(std::move(before)), after_(std::move(after)) {}

DocumentChangeStream DocumentDiff::changes() const {
  return DocumentChangeStream(
      std::make_unique<DocumentChangeStream::State>(*hall_, *before_, *after_));
}

}  // namespace otolith
