// Documents: what is put, patched and deleted, and what collections give back.
#include <fmt/format.h>

#include <algorithm>

#include "base/ids.h"
#include "test/stateful/machine.h"

namespace otolith::stateful {

namespace {

constexpr int kId = 1;  // numbers of the columns of a collection
constexpr int kBody = 2;
constexpr std::uint64_t kIds = 12;
constexpr std::size_t kLongBytes = 3000;

using Fields = std::vector<std::pair<std::string, std::string>>;  // names, values as JSON

PlainTable collection(int id) {
  PlainTable out{.id = id};
  out.columns = {{.number = kId, .name = "_id", .type = {TypeKind::string}, .nullable = false}};
  out.keys = {kId};
  out.documents = true;
  return out;
}

std::string id_of(const PlainRow& row) { return std::get<std::string>(*row.cells.at(kId)); }
const std::string& body_of(const PlainRow& row) {
  return std::get<std::string>(*row.cells.at(kBody));
}

// As of the id, or none.
RowPtr row_of(const Rows& rows, const std::string& id) {
  const auto found =
      std::ranges::find_if(rows, [&](const RowPtr& row) { return id_of(*row) == id; });
  return found == rows.end() ? nullptr : *found;
}

std::string some_id(Chance& chance) { return fmt::format("id{:02}", chance.upto(kIds)); }

Fields some_fields(Chance& chance) {
  Fields out{{"n", fmt::format("{}", chance.upto(10))}};
  if (chance.one_in(2)) out.emplace_back("text", fmt::format("\"{}\"", chance.name()));
  if (chance.one_in(3))
    out.emplace_back("list", fmt::format("[{},{{\"deep\":true}}]", chance.upto(4)));
  if (chance.one_in(20))
    out.emplace_back("long", fmt::format("\"{}\"", std::string(kLongBytes, 'x')));
  if (chance.one_in(3)) std::ranges::reverse(out);
  return out;
}

// One field a line, so that they are found again without a parser.
std::string lines_of(const Fields& fields) {
  std::string out;
  for (const auto& [name, value] : fields) out += name + '\n' + value + '\n';
  return out;
}

Fields fields_of(const PlainRow& row) {
  Fields out;
  std::string_view rest = body_of(row);
  const auto line = [&] {
    const std::size_t end = rest.find('\n');
    const std::string of(rest.substr(0, end));
    rest.remove_prefix(end + 1);
    return of;
  };
  while (!rest.empty()) {
    std::string name = line();
    out.emplace_back(std::move(name), line());
  }
  return out;
}

std::string object_of(const Fields& fields) {
  std::string out;
  for (const auto& [name, value] : fields)
    out += fmt::format("{}\"{}\":{}", out.empty() ? "" : ",", name, value);
  return '{' + out + '}';
}

Document document_of(std::string id, const Fields& fields) {
  return Document::of(std::move(id), Document::from_json(object_of(fields)).body());
}

Document document_of(const PlainRow& row) { return document_of(id_of(row), fields_of(row)); }

// RFC 7396, of fields that are no objects.
Fields merged(Fields fields, const Fields& patch) {
  for (const auto& [name, value] : patch) {
    const auto found = std::ranges::find(fields, name, &Fields::value_type::first);
    if (value == "null") {
      if (found != fields.end()) fields.erase(found);
    } else if (found != fields.end()) {
      found->second = value;
    } else {
      fields.emplace_back(name, value);
    }
  }
  return fields;
}

// Whether `n < bound`; a document without `n` is not asked for.
bool below_bound(const PlainRow& row, std::uint64_t bound) {
  return std::ranges::any_of(fields_of(row), [&](const auto& field) {
    return field.first == "n" && std::stoull(field.second) < bound;
  });
}

Expression below_bound(std::uint64_t bound) {
  return parse_condition(fmt::format("n < {}", bound));
}

Rows by_id(Rows rows) {
  std::ranges::sort(rows, {}, [](const RowPtr& row) { return id_of(*row); });
  return rows;
}

}  // namespace

/// A state that documents were written into, before its commit is known.
struct Machine::Written {
  PlainState state;
  std::string name;
  std::vector<std::shared_ptr<PlainRow>> born{};  // their time is that of the commit
  ChangeCount count{};

  Rows& rows() { return state.at(name).rows; }

  void put(const std::string& id, const Fields& fields) {
    const RowPtr there = row_of(rows(), id);
    std::string lines = lines_of(fields);
    if (there && body_of(*there) == lines) return;
    auto row = std::make_shared<PlainRow>();
    row->cells = {{kId, test::Value(id)}, {kBody, test::Value(std::move(lines))}};
    if (there) row->time = there->time;
    if (!there || std::ranges::find(born, there) != born.end()) born.push_back(row);
    if (there) remove(there);
    rows().push_back(std::move(row));
    ++count.added;
  }
  void remove(const RowPtr& row) {
    std::erase(rows(), row);
    ++count.ended;
  }
};

std::optional<std::string> Machine::some_collection() {
  std::vector<std::string> names;
  for (const auto& [name, table] : now()) {
    if (table.documents) names.push_back(name);
  }
  return names.empty() ? std::nullopt : std::optional(chance_.of(names));
}

void Machine::write(Handle& handle, Written written, Request request) {
  const std::uint64_t before = head();
  const PlainTable& table = written.state.at(written.name);
  request.options = some_options();
  request.tables.emplace(written.name, PlainTable{.id = table.id});
  const auto first =
      std::ranges::find(now(), table.id, [](const auto& of) { return of.second.id; });
  if (first == now().end() && written.rows().empty()) written.state.erase(written.name);
  perform(handle, std::move(request), std::move(written.state), {{written.name, written.count}});
  if (head() == before) return;
  for (const auto& row : written.born) row->time = committed_.back().time.ns;
}

void Machine::put(Handle& handle) {
  const std::string name = chance_.one_in(4) ? chance_.name() : some_collection().value_or("docs");
  Written written{now(), name};
  const auto there = now().find(name);
  std::map<std::string, Fields> asked;
  for (std::uint64_t count = 1 + chance_.upto(chance_.one_in(8) ? kIds : 3); count > 0; --count)
    asked[some_id(chance_)] = some_fields(chance_);
  if (there != now().end() && there->second.documents && !there->second.rows.empty() &&
      chance_.one_in(3)) {  // as it is
    const RowPtr row = chance_.of(there->second.rows);
    asked[id_of(*row)] = fields_of(*row);
  }
  std::vector<Document> sent;
  for (const auto& [id, fields] : asked) sent.push_back(document_of(id, fields));
  say(fmt::format(" of {} into {}", sent.size(), name));
  Request request;
  request.call = [name, sent](Database& db, const CommitOptions& options) {
    return db.collection(name).put(sent, {.commit = options});
  };
  if (there != now().end() && !there->second.documents) {
    return must_refuse({ErrorCode::invalid_argument}, "documents for a table",
                       [&] { request.call(*handle.db, {}); });
  }
  if (there == now().end()) written.state.emplace(name, collection(++ids_));
  for (const auto& [id, fields] : asked) written.put(id, fields);
  write(handle, std::move(written), std::move(request));
}

void Machine::patch(Handle& handle) {
  const auto name = some_collection();
  if (!name) return;
  Written written{now(), *name};
  const std::string id = some_id(chance_);
  Fields patch = some_fields(chance_);
  for (auto& [field, value] : patch) {
    if (chance_.one_in(3)) value = "null";
  }
  say(" of " + id + " in " + *name);
  Request request;
  request.call = [name = *name, id, sent = Document::from_json(object_of(patch))](
                     Database& db, const CommitOptions& options) {
    return db.collection(name).patch(id, sent, {.commit = options});
  };
  const RowPtr row = row_of(written.rows(), id);
  if (!row) {
    return must_refuse({ErrorCode::not_found}, "a patch of nobody",
                       [&] { request.call(*handle.db, {}); });
  }
  written.put(id, merged(fields_of(*row), patch));
  write(handle, std::move(written), std::move(request));
}

void Machine::remove_documents(Handle& handle) {
  const auto name = some_collection();
  if (!name) return;
  Written written{now(), *name};
  Request request;
  Rows gone;
  if (chance_.one_in(2)) {
    const std::vector<std::string> ids{some_id(chance_), some_id(chance_)};
    say(fmt::format(" {} and {} of {}", ids[0], ids[1], *name));
    for (const RowPtr& row : written.rows()) {
      if (id_of(*row) == ids[0] || id_of(*row) == ids[1]) gone.push_back(row);
    }
    request.call = [name = *name, ids](Database& db, const CommitOptions& options) {
      return db.collection(name).remove(ids, {.commit = options});
    };
  } else {
    const std::uint64_t bound = chance_.upto(6);
    say(fmt::format(" below {} of {}", bound, *name));
    for (const RowPtr& row : written.rows()) {
      if (below_bound(*row, bound)) gone.push_back(row);
    }
    request.call = [name = *name, bound](Database& db, const CommitOptions& options) {
      return db.collection(name).remove(below_bound(bound), options);
    };
  }
  for (const RowPtr& row : gone) written.remove(row);
  write(handle, std::move(written), std::move(request));
}

// A document goes back as a whole where its time then or its time now is of the range.
void Machine::rollback_documents(Handle& handle, const std::string& name) {
  PlainState next = now();
  PlainTable& collection = next.at(name);
  const std::uint64_t to = chance_.upto(head() + 1);
  std::string called;
  PlainState then = committed_[to].state;
  const PlainTable* before = find_id(then, collection.id, &called);
  if (before == nullptr || before->rows.empty()) return;
  RollbackOptions options{.dataset = called};
  if (chance_.one_in(2)) options.start = Timestamp{chance_.of(before->rows)->time};
  if (!options.start || chance_.one_in(2)) options.ids = {some_id(chance_), some_id(chance_)};
  say(fmt::format(" to {} of {} documents of {}", to, options.ids ? "two" : "all", name));
  const auto meant = [&](const RowPtr& row) {
    if (options.ids && std::ranges::find(*options.ids, id_of(*row)) == options.ids->end())
      return false;
    return !options.start || row->time >= options.start->ns;
  };
  std::set<std::string> ids;
  for (const Rows* rows : std::initializer_list<const Rows*>{&before->rows, &collection.rows}) {
    for (const RowPtr& row : *rows) {
      if (meant(row)) ids.insert(id_of(*row));
    }
  }
  std::erase_if(collection.rows, [&](const RowPtr& row) { return ids.contains(id_of(*row)); });
  for (const RowPtr& row : before->rows) {
    if (ids.contains(id_of(*row))) collection.rows.push_back(row);
  }
  collection.rows = in_order(collection.id, std::move(collection.rows));
  Request request{.options = some_options()};
  request.call = [to, options](Database& db, const CommitOptions& commit) {
    return db.rollback(fmt::format("{}", to), options, commit);
  };
  undo(handle, std::move(request), std::move(next));
}

// ---- reading

void Machine::check_documents(const Collection& documents, const PlainTable& plain) {
  require(documents.size() == plain.rows.size(), "another number of documents is told");
  const Rows rows = by_id(plain.rows);
  std::size_t at = 0;
  DocumentStream all = documents.find();
  for (std::vector<DocumentEntry> some = all.next(); !some.empty(); some = all.next()) {
    for (const DocumentEntry& entry : some) {
      require(at < rows.size() && entry.document == document_of(*rows[at]),
              "a document is another: " + entry.document.id());
      require(entry.time.ns == rows[at]->time,
              "a document is of another time: " + entry.document.id());
      ++at;
    }
  }
  require(at == rows.size(), fmt::format("{} documents are found, not {}", at, rows.size()));
  check_find(documents, plain);
  check_one(documents, plain);
}

void Machine::check_find(const Collection& documents, const PlainTable& plain) {
  FindRequest request;
  Rows rows = by_id(plain.rows);
  if (chance_.one_in(2)) {
    const std::uint64_t bound = chance_.upto(10);
    request.where = below_bound(bound);
    std::erase_if(rows, [&](const RowPtr& row) { return !below_bound(*row, bound); });
  }
  if (!plain.rows.empty() && chance_.one_in(2)) {
    request.start = Timestamp{chance_.of(plain.rows)->time};
    std::erase_if(rows, [&](const RowPtr& row) { return row->time < request.start->ns; });
  }
  if (chance_.one_in(2)) {
    request.prefix = "id0";
    std::erase_if(rows, [](const RowPtr& row) { return !id_of(*row).starts_with("id0"); });
  }
  request.reverse = chance_.one_in(2);
  if (request.reverse) std::ranges::reverse(rows);
  if (chance_.one_in(3)) request.limit = chance_.upto(4);
  if (request.limit && rows.size() > *request.limit) rows.resize(*request.limit);
  std::vector<std::string> ids;
  DocumentStream found = documents.find(request);
  for (std::vector<DocumentEntry> some = found.next(); !some.empty(); some = found.next()) {
    for (const DocumentEntry& entry : some) ids.push_back(entry.document.id());
  }
  require(std::ranges::equal(ids, rows, {}, {}, [](const RowPtr& row) { return id_of(*row); }),
          "other documents are found");
}

// One by its id, and what became of it.
void Machine::check_one(const Collection& documents, const PlainTable& plain) {
  const std::string id = some_id(chance_);
  const RowPtr row = row_of(plain.rows, id);
  const auto entry = documents.entry(id);
  require(entry.has_value() == (row != nullptr), id + " is there, or is not");
  require(documents.contains(id) == entry.has_value(), id + " is told to be there, or not");
  const std::vector<DocumentRevision> revisions = documents.revisions(id);
  if (!entry) {
    return require(revisions.empty() || !revisions.front().document, id + " has a last revision");
  }
  require(entry->document == document_of(*row) && entry->time.ns == row->time,
          id + " is another document");
  require(!revisions.empty() && revisions.front().document == entry->document &&
              revisions.front().revision == entry->revision,
          id + " has another last revision");
}

}  // namespace otolith::stateful
