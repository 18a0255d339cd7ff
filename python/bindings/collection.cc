// Collection: documents by id, what is asked of it and what it gives.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"
#include "document_values.h"
#include "objects.h"

namespace otolith::bindings {

namespace {

nb::bytes bytes_of(const std::string& bytes) { return nb::bytes(bytes.data(), bytes.size()); }

Document from_msgpack(const nb::bytes& bytes) {
  return Document::from_msgpack(
      std::span(static_cast<const std::byte*>(bytes.data()), bytes.size()));
}

// A document as a dict, in one crossing; None where there is none. NotImplemented where the id is
// no text, or none of UTF-8.
nb::object get_dict(const Collection& self, nb::handle id, const nb::callable& fine) {
  const auto utf8 = utf8_of(id.ptr());
  if (!utf8) return nb::borrow(Py_NotImplemented);
  const auto found = [&] {
    const WithoutGil released;
    return self.get(*utf8);
  }();
  return found ? document_dict(*found, fine) : nb::none();
}

DocumentWrite make_write(ExpectedRevision revision, bool given, const CommitOptions& options) {
  return {.if_revision = expected_of(std::move(revision), given), .commit = options};
}

FindRequest make_find(std::optional<std::int64_t> start, std::optional<std::int64_t> stop,
                      std::string prefix, std::optional<std::vector<std::string>> ids,
                      std::optional<Expression> where, std::optional<std::uint64_t> limit,
                      bool reverse, DocumentOrder order) {
  return {.start = timestamp_of(start),
          .stop = timestamp_of(stop),
          .prefix = std::move(prefix),
          .ids = std::move(ids),
          .where = std::move(where),
          .limit = limit,
          .reverse = reverse,
          .order = order};
}

void bind_parts(nb::module_& module) {
  nb::enum_<TimeUnit>(module, "TimeUnit")
      .value("none", TimeUnit::none)
      .value("second", TimeUnit::second)
      .value("millisecond", TimeUnit::millisecond)
      .value("microsecond", TimeUnit::microsecond)
      .value("nanosecond", TimeUnit::nanosecond);
  nb::enum_<DatasetKind>(module, "DatasetKind")
      .value("table", DatasetKind::table)
      .value("collection", DatasetKind::collection);
  nb::enum_<DocumentOrder>(module, "DocumentOrder")
      .value("id", DocumentOrder::id)
      .value("time", DocumentOrder::time);
  nb::class_<Document>(module, "Document", "A document, checked.")
      .def_static("from_json", &Document::from_json, nb::arg("text"))
      .def_static("from_msgpack", &from_msgpack, nb::arg("bytes"))
      .def_prop_ro("id", &Document::id)
      .def("json", &Document::json, nb::arg("indent") = 0)
      .def("msgpack", [](const Document& self) { return bytes_of(self.msgpack()); });
  nb::class_<DocumentEntry>(module, "DocumentEntry", "A document where it stands.")
      .def_ro("document", &DocumentEntry::document)
      .def_ro("revision", &DocumentEntry::revision)
      .def_prop_ro("time_ns", [](const DocumentEntry& self) { return self.time.ns; })
      .def_prop_ro("commit",
                   [](const DocumentEntry& self) { return std::to_underlying(self.commit); });
  nb::class_<DocumentRevision>(module, "DocumentRevision", "What a commit made of a document.")
      .def_ro("document", &DocumentRevision::document)
      .def_ro("revision", &DocumentRevision::revision)
      .def_prop_ro("commit",
                   [](const DocumentRevision& self) { return std::to_underlying(self.commit); });
}

}  // namespace

void bind_collection(nb::module_& module) {
  bind_parts(module);
  nb::class_<DocumentWrite>(module, "DocumentWrite", "How documents are written.")
      .def_static("make", &make_write, nb::arg("revision").none(), nb::arg("given"),
                  nb::arg("options"));
  nb::class_<FindRequest>(module, "FindRequest", "Which documents to find.")
      .def_static("make", &make_find, nb::arg("start").none(), nb::arg("stop").none(),
                  nb::arg("prefix"), nb::arg("ids").none(), nb::arg("where").none(),
                  nb::arg("limit").none(), nb::arg("reverse"), nb::arg("order"));
  nb::class_<DocumentStream>(module, "DocumentStream", "Documents that are found.")
      .def("next", &DocumentStream::next, ReleasedInterruptible());
  using Many = const std::vector<Document>&;
  using Ids = const std::vector<std::string>&;
  nb::class_<Collection>(module, "Collection", "Documents by id.")
      .def("name", &Collection::name, Released())
      .def(
          "time_path", [](const Collection& self) { return self.document_time().path; }, Released())
      .def(
          "put",
          [](const Collection& self, Many documents, const DocumentWrite& write) {
            return self.put(documents, write);
          },
          nb::arg("documents"), nb::arg("write"), Released())
      .def(
          "insert",
          [](const Collection& self, Many documents, const DocumentWrite& write) {
            return self.insert(documents, write);
          },
          nb::arg("documents"), nb::arg("write"), Released())
      .def("patch", &Collection::patch, nb::arg("id"), nb::arg("patch"), nb::arg("write"),
           Released())
      .def(
          "remove",
          [](const Collection& self, Ids ids, const DocumentWrite& write) {
            return self.remove(std::span(ids), write);
          },
          nb::arg("ids"), nb::arg("write"), Released())
      .def(
          "remove_where",
          [](const Collection& self, const Expression& where, const DocumentWrite& write) {
            return self.remove(where, write.commit);
          },
          nb::arg("where"), nb::arg("write"), Released())
      .def("get", &get_dict, nb::arg("id"), nb::arg("fine"),
           nb::sig("def get(self, id: object, fine: typing.Callable) -> typing.Any"))
      .def(
          "get_many", [](const Collection& self, Ids ids) { return self.get(std::span(ids)); },
          nb::arg("ids"), ReleasedInterruptible())
      .def("entry", &Collection::entry, nb::arg("id"), Released())
      .def("contains", &Collection::contains, nb::arg("id"), Released())
      .def("size", &Collection::size, ReleasedInterruptible())
      .def("find", &Collection::find, nb::arg("request"), ReleasedInterruptible())
      .def("revisions", &Collection::revisions, nb::arg("id"), ReleasedInterruptible())
      .def("blame", &Collection::blame, nb::arg("id"), ReleasedInterruptible())
      .def(
          "commit_of",
          [](const Collection& self, std::uint64_t number) {
            return self.commit_of(CommitNumber{number});
          },
          nb::arg("number"), Released());
}

}  // namespace otolith::bindings
