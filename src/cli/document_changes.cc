#include "cli/document_changes.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "db/json_writer.h"
#include "document/json_writer.h"
#include "files/table_writer.h"

namespace otolith::cli {

namespace {

// Counts what was taken of each kind.
class Limit {
 public:
  explicit Limit(std::uint64_t most) : most_(most) {}

  bool takes(const DocumentChange& change) {
    const std::size_t kind = !change.before ? 0 : !change.after ? 1 : 2;
    return taken_[kind]++ < most_;
  }

 private:
  const std::uint64_t most_;
  std::uint64_t taken_[3] = {};
};

template <typename Take>
void each_change(const DatasetDiff& diff, std::uint64_t limit, Take take) {
  if (limit == 0) return;
  Limit left(limit);
  DocumentChangeStream stream = diff.documents->changes();
  for (auto some = stream.next(); !some.empty(); some = stream.next()) {
    for (const DocumentChange& change : some) {
      if (left.takes(change)) take(change);
    }
  }
}

std::string whole_text(const Document& document) { return shown_value({document.msgpack()}); }

std::string path_text(const PathChange& path) {
  const std::string name = files::shown_text(path.path);
  if (!path.before) return fmt::format("    {} added: {}\n", name, shown_value(*path.after));
  if (!path.after) return fmt::format("    {} removed: {}\n", name, shown_value(*path.before));
  return fmt::format("    {}: {} -> {}\n", name, shown_value(*path.before),
                     shown_value(*path.after));
}

std::string change_text(const DocumentChange& change) {
  if (!change.before) return fmt::format("+ {}\n", whole_text(change.after->document));
  if (!change.after) return fmt::format("- {}\n", whole_text(change.before->document));
  std::string out = fmt::format("~ {}\n", files::shown_text(change.id));
  const std::vector<PathChange> paths = change.paths();
  for (const PathChange& path : paths) out += path_text(path);
  if (paths.empty()) out += "    its time or the order of its fields\n";
  return out;
}

std::string member(std::string_view name, const std::optional<DocumentValue>& value) {
  return value ? fmt::format(R"(, "{}": {})", name, value->json()) : std::string();
}

std::string json_text(std::string_view text) {
  std::string out;
  db::put_json_text(out, text);
  return out;
}

std::string paths_json(const DocumentChange& change) {
  std::string out;
  for (const PathChange& path : change.paths()) {
    out += fmt::format(R"({}{{"path": {}{}{}}})", out.empty() ? "" : ", ", json_text(path.path),
                       member("before", path.before), member("after", path.after));
  }
  return out;
}

std::string change_json(std::string_view dataset, const DocumentChange& change) {
  const auto whole = [&](std::string_view kind, const DocumentEntry& entry) {
    return fmt::format(R"({{"dataset": {}, "change": "{}", "document": {}}})", dataset, kind,
                       entry.document.json());
  };
  if (!change.before) return whole("added", *change.after);
  if (!change.after) return whole("removed", *change.before);
  return fmt::format(R"({{"dataset": {}, "change": "changed", "id": {}, "paths": [{}]}})", dataset,
                     json_text(change.id), paths_json(change));
}

}  // namespace

std::string shown_value(const DocumentValue& value) {
  std::string out;
  document::to_json(as_bytes_view(value.msgpack), out,
                    {.not_finite = document::JsonStyle::NotFinite::words});
  return files::shown_text(out);
}

void put_documents_text(const DatasetDiff& diff, std::uint64_t limit, const Sinks& sinks) {
  const bool some =
      diff.added.rows > limit || diff.removed.rows > limit || diff.changed_after.rows > limit;
  if (limit != 0) {
    sinks.out(fmt::format("\n{}{}:\n", files::shown_text(diff.name),
                          some ? fmt::format(", the first {} of each kind", limit) : ""));
  }
  each_change(diff, limit, [&](const DocumentChange& change) { sinks.out(change_text(change)); });
}

void put_documents_json(const DatasetDiff& diff, std::uint64_t limit,
                        const std::function<void(std::string_view)>& put) {
  const std::string name = json_text(diff.name);
  each_change(diff, limit, [&](const DocumentChange& change) { put(change_json(name, change)); });
}

}  // namespace otolith::cli
