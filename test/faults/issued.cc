#include "test/faults/issued.h"

#include <fmt/format.h>

#include <utility>

#include "test/sensors.h"

namespace otolith::test {

namespace {

constexpr std::size_t kLongBytes = 6000;

IssuedTable issued_documents(const Collection& collection) {
  IssuedTable out{{}, {}};
  DocumentStream stream = collection.find();
  for (auto some = stream.next(); !some.empty(); some = stream.next()) {
    for (const DocumentEntry& entry : some) {
      const std::int64_t id = std::stoll(entry.document.id());
      const std::string json = entry.document.json();
      out.rows[id] = json.substr(json.find("text") + 7, 1);
    }
  }
  return out;
}

}  // namespace

void IssuedTable::remove(const DeleteRequest& asked) {
  std::erase_if(rows, [&](const auto& row) {
    if (asked.start && row.first < asked.start->ns) return false;
    if (asked.stop && row.first >= asked.stop->ns) return false;
    return asked.keys.empty() || asked.keys[0].values[0] == KeyValue(row.second);
  });
}

std::vector<Document> documents_of(const SensorTimes& rows) {
  std::vector<Document> out;
  for (const auto& [id, text] : rows)
    out.push_back(Document::from_json(fmt::format(R"({{"_id":"{}","text":"{}"}})", id, text)));
  return out;
}

IssuedState issued_state(const Snapshot& at) {
  IssuedState out;
  for (const std::string& name : at.datasets()) {
    if (name == kCollection) {
      out[name] = issued_documents(at.collection(name));
      continue;
    }
    const Table table = at.table(name);
    IssuedTable& read = out[name];
    read.columns = table.schema()->names();
    for (const Batch& batch : table.read().batches()) {
      for (const Row& row : rows_of(batch)) {
        const auto& sensor = std::get<std::string>(*row[1]);
        read.rows[std::get<std::int64_t>(*row[0])] = sensor.size() == kLongBytes ? "long" : sensor;
      }
    }
  }
  return out;
}

Batch batch_of_times(const std::shared_ptr<const Schema>& schema, const SensorTimes& rows) {
  std::vector<Row> cells;
  for (const auto& [time, sensor] : rows) {
    Row row{time, sensor == "long" ? std::string(kLongBytes, 'l') : sensor};
    row.resize(schema->columns.size());
    cells.push_back(std::move(row));
  }
  return batch_of(schema, cells);
}

IssuedTable& first_table(IssuedState& state) {
  return state.contains("v") ? state["v"] : state["t"];
}

std::function<bool(IssuedState&)> on_first_table(std::function<void(IssuedTable&)> effect) {
  return [effect = std::move(effect)](IssuedState& state) {
    effect(first_table(state));
    return true;
  };
}

std::set<IssuedState> IssuedCommits::states() const {
  std::set<IssuedState> out{first_};
  for (const Issued& issued : issued_) {
    if (issued.fate == Issued::Fate::failed) continue;
    std::set<IssuedState> next;
    if (issued.fate != Issued::Fate::acknowledged) next = out;
    for (IssuedState state : out) {
      if (issued.effect(state)) next.insert(std::move(state));
    }
    out = std::move(next);
  }
  return out;
}

}  // namespace otolith::test
