#include <algorithm>
#include <map>
#include <set>

#include "base/limits.h"
#include "base/mutant.h"
#include "history/decide.h"
#include "model/cast.h"

namespace otolith::history {

namespace {

// Names and schemas as the changes of one request make them, one after the other.
class Working {
 public:
  Working(CommitNumber number, Timeline& timeline) : number_(number), timeline_(timeline) {
    for (const DatasetEntry& entry : timeline.names_at(timeline.staged().commit)->entries()) {
      names_.emplace(entry.name, entry.id);
      entries_.emplace(entry.id, entry);
    }
  }

  CreateDataset create(CreateDataset change) {
    check_free(change.name);
    if (timeline_.catalog().version()->datasets.size() + created_ >= kDatasetsMax) {
      throw_error(ErrorCode::limit, "a database holds at most {} datasets (kDatasetsMax)",
                  kDatasetsMax);
    }
    std::uint32_t id = 0;
    for (Column& column : change.schema.columns) column.id = ++id;
    const DatasetId dataset{number_, created_++};
    const auto schema = std::make_shared<const Schema>(change.schema);
    names_.emplace(change.name, dataset);
    entries_.emplace(dataset, DatasetEntry{dataset, change.name, schema});
    return change;
  }

  RenameDataset rename(RenameDataset change) {
    change.dataset = resolve(change.dataset);
    DatasetEntry& entry = get(change.dataset);
    check_name(entry, change.from);
    if (entry.name != change.name) check_free(change.name);
    names_.erase(entry.name);
    names_.emplace(change.name, entry.id);
    entry.name = change.name;
    return change;
  }

  DropDataset drop(DropDataset change) {
    change.dataset = resolve(change.dataset);
    const DatasetEntry& entry = get(change.dataset);
    check_name(entry, change.name);
    names_.erase(entry.name);
    entries_.erase(change.dataset);
    return change;
  }

  AlterDataset alter(AlterDataset change) {
    change.dataset = resolve(change.dataset);
    DatasetEntry& entry = get(change.dataset);
    check_base(entry, change.base);
    number_new_columns(change.dataset, change.schema);
    check_alter(entry, change.schema);
    entry.schema = std::make_shared<const Schema>(change.schema);
    return change;
  }

 private:
  DatasetId resolve(DatasetId id) const {
    return value_of(id.created) == 0 ? DatasetId{number_, id.index} : id;
  }

  DatasetEntry& get(DatasetId id) {
    const auto found = entries_.find(id);
    if (found != entries_.end()) return found->second;
    throw_error(ErrorCode::conflict, "{} does not exist any more; look which datasets there are",
                dataset_told(timeline_, id));
  }

  void check_free(const std::string& name) const {
    if (!names_.contains(name)) return;
    if (name == kDatabaseName) metadata_changed();
    throw_error(ErrorCode::conflict, "a dataset named {} exists already", quoted(name));
  }

  [[noreturn]] static void metadata_changed() {
    throw_error(ErrorCode::conflict,
                "the metadata of the database was changed by another commit meanwhile; look at it "
                "and change it again");
  }

  // Who asked looked a dataset up by a name, and saw a schema: both may be another's work by now.
  static void check_name(const DatasetEntry& entry, const std::string& seen) {
    if (seen.empty() || entry.name == seen || mutant("dataset-changed-under-other-name")) return;
    throw_error(ErrorCode::conflict, "the dataset {} was renamed to {} meanwhile; begin again",
                quoted(seen), quoted(entry.name));
  }

  static void check_base(const DatasetEntry& entry, const std::shared_ptr<const Schema>& seen) {
    if (seen == nullptr || seen == entry.schema || *seen == *entry.schema) return;
    if (mutant("alter-base-ignored")) return;
    if (entry.name == kDatabaseName) metadata_changed();
    throw_error(ErrorCode::conflict,
                "the schema of {} was altered by another commit meanwhile; look at it and alter it "
                "again",
                quoted(entry.name));
  }

  // Ids that were in any schema of the dataset ever are taken, also those of rolled-back commits.
  void number_new_columns(DatasetId dataset, Schema& schema) {
    check_given_ids(get(dataset), schema);
    std::uint32_t next_id = 1;
    if (timeline_.catalog().version()->find(dataset) != nullptr) {
      next_id = timeline_.catalog().next_column(dataset);
    }
    const auto& present = *get(dataset).schema;
    if (mutant("column-id-reused")) next_id = 1;
    for (const Column& column : present.columns) next_id = std::max(next_id, column.id + 1);
    for (Column& column : schema.columns) {
      if (column.id == 0) column.id = next_id++;
    }
  }

  // A request names columns that are there by their ids, each once, and new ones by 0: the id of a
  // column that was dropped is still that column's, in older commits and in segments.
  static void check_given_ids(const DatasetEntry& entry, const Schema& altered) {
    std::set<std::uint32_t> given;
    for (const Column& column : altered.columns) {
      if (column.id == 0 || mutant("given-column-id-taken")) continue;
      const auto& present = entry.schema->columns;
      const bool there = std::ranges::find(present, column.id, &Column::id) != present.end();
      if (there && given.insert(column.id).second) continue;
      throw_error(ErrorCode::invalid_argument,
                  "{} cannot be altered so: the column {} claims the id {}, which {}; leave the id "
                  "of a new column at 0",
                  quoted(entry.name), quoted(column.name), column.id,
                  there ? "another column of this schema has" : "no present column has");
    }
  }

  static std::uint32_t id_of(const Schema& schema, std::string_view name) {
    return schema.columns[schema.find(name).value()].id;
  }

  // Rows of a column may be stored under every type it ever had, also in commits that were rolled
  // back, and a seal writes all of them as one.
  void check_types(const DatasetEntry& entry, const Schema& altered) const {
    const DatasetVersion* version = timeline_.catalog().version()->find(entry.id);
    const std::size_t events = version == nullptr ? 0 : version->events->size();
    for (std::size_t i = 0; i < events; ++i) {
      const DatasetEvent& event = (*version->events)[i];
      if (event.schema == nullptr) continue;
      for (const Column& column : altered.columns) {
        const auto& columns = event.schema->columns;
        const auto was = std::ranges::find(columns, column.id, &Column::id);
        if (was == columns.end() || model::cast_always_exact(was->type, column.type) ||
            model::cast_always_exact(column.type, was->type) || mutant("widened-apart")) {
          continue;
        }
        throw_error(ErrorCode::invalid_argument,
                    "{} cannot be altered so: column {} was {} in commit {}, and {} and {} do not "
                    "hold each other's values; add a column instead",
                    quoted(entry.name), quoted(column.name), type_name(was->type),
                    value_of(event.commit), type_name(was->type), type_name(column.type));
      }
    }
  }

  // Whether no commit ever added rows to it, rolled back or not.
  bool never_written(DatasetId dataset) const {
    const DatasetVersion* version = timeline_.catalog().version()->find(dataset);
    return version == nullptr || (version->segments->empty() && version->tail->empty());
  }

  void check_alter(const DatasetEntry& entry, const Schema& altered) const {
    const Schema& present = *entry.schema;
    const auto refuse = [&](std::string_view why) {
      throw_error(ErrorCode::invalid_argument, "{} cannot be altered so: {}", quoted(entry.name),
                  why);
    };
    if (id_of(present, present.time) != id_of(altered, altered.time)) {
      refuse("the time column stays");
    }
    bool same_keys = present.keys.size() == altered.keys.size();
    for (std::size_t i = 0; same_keys && i < present.keys.size(); ++i) {
      same_keys = id_of(present, present.keys[i]) == id_of(altered, altered.keys[i]);
    }
    if (!same_keys) refuse("the keys stay");
    if (present.partition != altered.partition) refuse("the partitions stay");
    if (present.kind != altered.kind || present.document_time != altered.document_time)
      refuse("a collection stays one, and so does the place of its times");
    Schema without_new = altered;
    if (never_written(entry.id)) {
      std::erase_if(without_new.columns, [&](const Column& column) {
        return std::ranges::find(present.columns, column.id, &Column::id) == present.columns.end();
      });
    }
    if (!rows_fit(present, without_new)) {
      refuse("a type may only grow without loss, and a new column must take nulls");
    }
    check_types(entry, altered);
  }

  const CommitNumber number_;
  Timeline& timeline_;
  std::uint32_t created_ = 0;
  std::map<std::string, DatasetId> names_;
  std::map<DatasetId, DatasetEntry> entries_;
};

}  // namespace

std::vector<CatalogChange> decide_catalog(const CommitRequest& request, CommitNumber number,
                                          Timeline& timeline) {
  std::vector<CatalogChange> out;
  if (request.catalog.empty()) return out;
  Working working(number, timeline);
  for (const CatalogChange& change : request.catalog) {
    if (const auto* create = std::get_if<CreateDataset>(&change)) {
      out.emplace_back(working.create(*create));
    } else if (const auto* alter = std::get_if<AlterDataset>(&change)) {
      out.emplace_back(working.alter(*alter));
    } else if (const auto* rename = std::get_if<RenameDataset>(&change)) {
      out.emplace_back(working.rename(*rename));
    } else {
      out.emplace_back(working.drop(std::get<DropDataset>(change)));
    }
  }
  return out;
}

}  // namespace otolith::history
