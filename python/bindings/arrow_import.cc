// Arrow streams and arrays on the way in: their buffers as ours, without a copy where the layouts
// meet.
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <functional>
#include <map>
#include <string_view>

#include "arrow_abi.h"
#include "base/error.h"
#include "bindings.h"
#include "model/array.h"
#include "model/bools.h"
#include "model/cast.h"

namespace otolith::bindings {

namespace {

/// name, Arrow format, values; times and dates come as plain integers, nulls without type as int64.
using Imported = std::tuple<std::string, std::string, Array>;
using Owner = std::shared_ptr<const void>;

template <typename Node>
void release(Node* node) {
  if (node->release != nullptr) node->release(node);
  delete node;
}

/// Moves a node out of its place, as the interface allows, into the care of an owner.
template <typename Node>
std::shared_ptr<Node> take(Node* from) {
  std::shared_ptr<Node> taken(new Node(*from), &release<Node>);
  from->release = nullptr;
  return taken;
}

/// The type whose values lie in memory as those of an Arrow format; int64 also for times.
std::optional<TypeKind> fixed_kind(std::string_view format) {
  static const std::map<std::string_view, TypeKind> kKinds{
      {"c", TypeKind::int8},    {"s", TypeKind::int16},   {"i", TypeKind::int32},
      {"l", TypeKind::int64},   {"C", TypeKind::uint8},   {"S", TypeKind::uint16},
      {"I", TypeKind::uint32},  {"L", TypeKind::uint64},  {"f", TypeKind::float32},
      {"g", TypeKind::float64}, {"tdD", TypeKind::int32}, {"tdm", TypeKind::int64},
  };
  if (format.starts_with("ts") && format.size() >= 4) return TypeKind::int64;
  const auto found = kKinds.find(format);
  return found == kKinds.end() ? std::nullopt : std::optional(found->second);
}

Buffer buffer_at(const Owner& owner, const void* data, std::uint64_t bytes) {
  return {owner, {static_cast<const std::byte*>(data), data == nullptr ? 0 : bytes}};
}

/// An array of all rows from the buffers' beginning; its slice knows how many of them are null.
Array whole_array(Type type, const ArrowArray& node, const Owner& owner) {
  const auto rows = static_cast<std::uint64_t>(node.offset + node.length);
  const bool nulls = node.null_count != 0 && node.buffers[0] != nullptr;
  return {
      .type = type,
      .length = rows,
      .null_count = nulls ? 1u : 0u,
      .validity = nulls ? buffer_at(owner, node.buffers[0], model::bitmap_bytes(rows)) : Buffer{},
      .offsets = {},
      .values = {},
      .zero_copy = true};
}

Array sliced(const Array& whole, const ArrowArray& node) {
  return model::array_slice(whole, static_cast<std::uint64_t>(node.offset),
                            static_cast<std::uint64_t>(node.length));
}

Array import_fixed(Type type, const ArrowArray& node, const Owner& owner) {
  Array whole = whole_array(type, node, owner);
  whole.values = buffer_at(owner, node.buffers[1], whole.length * type_width(type));
  return sliced(whole, node);
}

/// Bits as our bytes.
Array import_booleans(const ArrowArray& node, const Owner& owner) {
  Array whole = whole_array({TypeKind::boolean}, node, owner);
  std::byte* values = nullptr;
  whole.values = buffer_allocate(whole.length, &values);
  const auto* bits = static_cast<const std::byte*>(node.buffers[1]);
  if (bits != nullptr) model::bools_unpack(bits, 0, whole.length, values);
  whole.zero_copy = false;
  return sliced(whole, node);
}

/// The type of "d:12,2" and "d:12,2,128"; nullopt for other widths, and for digits that no type
/// has.
std::optional<Type> decimal_type(std::string_view format) {
  if (!format.starts_with("d:")) return std::nullopt;
  format.remove_prefix(2);
  if (format.ends_with(",128")) format.remove_suffix(4);
  if (std::ranges::count(format, ',') != 1) return std::nullopt;
  try {
    return type_parse(fmt::format("decimal({})", format));
  } catch (const Error&) {
    return std::nullopt;  // such as a scale below zero
  }
}

template <typename Offset>
Array import_text(TypeKind kind, const ArrowArray& node, const Owner& owner) {
  Array whole = whole_array({kind}, node, owner);
  const auto* from = static_cast<const Offset*>(node.buffers[1]);
  if (from == nullptr) return model::array_of_nulls({kind}, 0);
  if constexpr (sizeof(Offset) == sizeof(std::int64_t)) {
    whole.offsets = buffer_at(owner, from, (whole.length + 1) * sizeof(Offset));
  } else {
    std::byte* to = nullptr;
    whole.offsets = buffer_allocate((whole.length + 1) * sizeof(std::int64_t), &to);
    for (std::uint64_t i = 0; i <= whole.length; ++i) {
      const std::int64_t offset = from[i];
      std::memcpy(to + i * sizeof(offset), &offset, sizeof(offset));
    }
  }
  whole.values = buffer_at(owner, node.buffers[2], static_cast<std::uint64_t>(from[whole.length]));
  return sliced(whole, node);
}

bool is_valid(const ArrowArray& node, std::int64_t place) noexcept {
  const auto* bits = static_cast<const std::uint8_t*>(node.buffers[0]);
  return bits == nullptr || ((bits[place >> 3] >> (place & 7)) & 1) != 0;
}

/// Text by `text(place)`, place by place.
Array build_text(TypeKind kind, const ArrowArray& node,
                 const std::function<std::string_view(std::int64_t)>& text) {
  model::ArrayBuilder builder({kind});
  for (std::int64_t place = node.offset; place < node.offset + node.length; ++place) {
    if (is_valid(node, place)) {
      builder.append_text(text(place));
    } else {
      builder.append_null();
    }
  }
  return builder.finish();
}

/// One element of a "string view" array: short text inline, longer text in one of several buffers.
struct TextView {
  std::int32_t size;
  char prefix[4];
  std::int32_t buffer;
  std::int32_t offset;
};
static_assert(sizeof(TextView) == 16);
constexpr std::int32_t kInlineBytes = 12;

Array import_views(TypeKind kind, const ArrowArray& node) {
  const auto* views = static_cast<const TextView*>(node.buffers[1]);
  return build_text(kind, node, [&](std::int64_t place) -> std::string_view {
    const TextView& view = views[place];
    const auto size = static_cast<std::size_t>(view.size);
    if (view.size <= kInlineBytes) return {view.prefix, size};
    return {static_cast<const char*>(node.buffers[2 + view.buffer]) + view.offset, size};
  });
}

/// Values of one width: "w:16".
std::optional<Array> import_fixed_binary(std::string_view format, const ArrowArray& node) {
  std::size_t width = 0;
  const auto [end, error] =
      std::from_chars(format.data() + 2, format.data() + format.size(), width);
  if (error != std::errc() || end != format.data() + format.size()) return std::nullopt;
  const auto* values = static_cast<const char*>(node.buffers[1]);
  return build_text(TypeKind::binary, node, [&](std::int64_t place) -> std::string_view {
    return {values + static_cast<std::size_t>(place) * width, width};
  });
}

std::optional<Array> import_plain(std::string_view format, const ArrowArray& node,
                                  const Owner& owner) {
  if (const auto kind = fixed_kind(format)) return import_fixed({*kind}, node, owner);
  if (const auto type = decimal_type(format)) return import_fixed(*type, node, owner);
  if (format == "b") return import_booleans(node, owner);
  if (format == "U") return import_text<std::int64_t>(TypeKind::string, node, owner);
  if (format == "u") return import_text<std::int32_t>(TypeKind::string, node, owner);
  if (format == "vu") return import_views(TypeKind::string, node);
  if (format == "Z") return import_text<std::int64_t>(TypeKind::binary, node, owner);
  if (format == "z") return import_text<std::int32_t>(TypeKind::binary, node, owner);
  if (format == "vz") return import_views(TypeKind::binary, node);
  if (format.starts_with("w:")) return import_fixed_binary(format, node);
  if (format == "n") {
    return model::array_of_nulls({TypeKind::int64}, static_cast<std::uint64_t>(node.length));
  }
  return std::nullopt;
}

/// How a message about a column begins.
std::string about(const ArrowSchema& schema) {
  const std::string_view name = schema.name == nullptr ? "" : schema.name;
  return name.empty() ? "" : "column " + quoted(name) + ": ";
}

/// Text that stands once in a dictionary, written out.
std::optional<Array> import_dictionary(const ArrowSchema& schema, const ArrowArray& node,
                                       const Owner& owner) {
  const auto kind = fixed_kind(schema.format);
  auto words = import_plain(schema.dictionary->format, *node.dictionary, owner);
  if (!kind || !words || !model::is_text(words->type)) return std::nullopt;
  const Array codes = model::cast(import_fixed({*kind}, node, owner), {TypeKind::int64}, {});
  model::ArrayBuilder builder(words->type);
  for (std::uint64_t row = 0; row < codes.length; ++row) {
    const auto code =
        codes.is_null(row) ? std::nullopt : std::optional(codes.value<std::int64_t>(row));
    if (code && (*code < 0 || static_cast<std::uint64_t>(*code) >= words->length)) {
      throw_error(ErrorCode::invalid_argument,
                  "{}row {} of an Arrow dictionary array is entry {}, and its dictionary has {} "
                  "entries; make it again",
                  about(schema), row, *code, words->length);
    }
    if (!code || words->is_null(static_cast<std::uint64_t>(*code))) {
      builder.append_null();
    } else {
      builder.append_text(words->text(static_cast<std::uint64_t>(*code)));
    }
  }
  return builder.finish();
}

/// An Arrow type that cannot be appended, in words.
std::string_view type_in_words(std::string_view format) {
  static const std::vector<std::pair<std::string_view, std::string_view>> kWords{
      {"b", "bool"},
      {"e", "float16"},
      {"z", "binary"},
      {"Z", "binary"},
      {"vz", "binary"},
      {"w:", "binary"},
      {"d:",
       "decimal of other than 128 bits, or of a "
       "scale that is below 0 or above its digits"},
      {"tt", "time of day"},
      {"tD", "duration"},
      {"ti", "interval"},
      {"+l", "list"},
      {"+L", "list"},
      {"+vl", "list"},
      {"+vL", "list"},
      {"+w:", "list"},
      {"+s", "struct"},
      {"+m", "map"},
      {"+u", "union"},
      {"+r", "run-end encoded"}};
  for (const auto& [begins, words] : kWords) {
    const bool whole = begins.size() == 1;  // such as "b"; the others may have parameters
    if (whole ? format == begins : format.starts_with(begins)) return words;
  }
  if (fixed_kind(format)) return format.starts_with("t") ? "times" : "numbers";
  return format == "n" ? "nulls" : format;
}

Array import_column(const ArrowSchema& schema, const ArrowArray& node, const Owner& owner) {
  auto made = schema.dictionary == nullptr ? import_plain(schema.format, node, owner)
                                           : import_dictionary(schema, node, owner);
  if (made) return *std::move(made);
  const bool plain = schema.dictionary == nullptr;
  throw_error(ErrorCode::invalid_argument,
              "{}the Arrow type {}{} cannot be appended; cast it to a type that tables have",
              about(schema), plain ? "" : "dictionary of ",
              type_in_words(plain ? schema.format : schema.dictionary->format));
}

/// The columns of a struct, or a lone array as a column without a name.
std::vector<Imported> import_node(const ArrowSchema& schema,
                                  const std::shared_ptr<ArrowArray>& node) {
  std::vector<Imported> out;
  if (std::string_view(schema.format) != "+s") {
    out.emplace_back("", schema.format, import_column(schema, *node, node));
    return out;
  }
  for (std::int64_t i = 0; i < schema.n_children; ++i) {
    const ArrowSchema& child = *schema.children[i];
    const Array column = import_column(child, *node->children[i], node);
    const auto whole =
        static_cast<std::uint64_t>(node->offset);  // a slice of the struct as a whole
    out.emplace_back(child.name == nullptr ? "" : child.name, child.format,
                     model::array_slice(column, whole, static_cast<std::uint64_t>(node->length)));
  }
  return out;
}

/// Rows of a table have values, or nulls, column by column; none can be null as a whole.
void check_rows(const ArrowSchema& schema, const ArrowArray& node, std::uint64_t rows_before) {
  if (std::string_view(schema.format) != "+s" || node.null_count == 0) return;
  for (std::int64_t row = 0; row < node.length; ++row) {
    if (is_valid(node, node.offset + row)) continue;
    throw_error(ErrorCode::invalid_argument,
                "row {} of the Arrow data is null as a whole; take such rows out, or give each "
                "column its nulls",
                rows_before + static_cast<std::uint64_t>(row));
  }
}

/// The columns of Arrow data without a row.
std::vector<Imported> empty_node(const ArrowSchema& schema) {
  const auto column = [](const ArrowSchema& child) {
    const auto kind = child.dictionary == nullptr ? fixed_kind(child.format) : std::nullopt;
    return Imported(child.name == nullptr ? "" : child.name, child.format,
                    model::array_of_nulls({kind.value_or(TypeKind::string)}, 0));
  };
  if (std::string_view(schema.format) != "+s") return {column(schema)};
  std::vector<Imported> out;
  for (std::int64_t i = 0; i < schema.n_children; ++i) out.push_back(column(*schema.children[i]));
  return out;
}

/// Chunk after chunk of each column as one array.
std::vector<Imported> joined(const std::vector<std::vector<Imported>>& chunks) {
  std::vector<Imported> out = chunks.front();  // at least one
  for (std::size_t c = 0; c < out.size() && chunks.size() > 1; ++c) {
    std::vector<const Array*> parts;
    for (const auto& chunk : chunks) parts.push_back(&std::get<Array>(chunk[c]));
    std::get<Array>(out[c]) = model::array_concat(parts);
  }
  return out;
}

/// The columns of nodes one after the other. Nodes without a row do not count: they may be of any
/// type, as other data without a row.
std::vector<Imported> import_nodes(const ArrowSchema& schema,
                                   const std::vector<std::shared_ptr<ArrowArray>>& nodes) {
  std::vector<std::vector<Imported>> chunks;
  std::uint64_t rows = 0;
  for (const auto& node : nodes) {
    if (node->length == 0) continue;
    check_rows(schema, *node, rows);
    chunks.push_back(import_node(schema, node));
    rows += static_cast<std::uint64_t>(node->length);
  }
  return chunks.empty() ? empty_node(schema) : joined(chunks);
}

template <typename T>
T* pointer_of(const nb::object& capsule, const char* name) {
  void* pointer = PyCapsule_GetPointer(capsule.ptr(), name);
  if (pointer == nullptr) throw nb::python_error();
  return static_cast<T*>(pointer);
}

void check(ArrowArrayStream* stream, int status) {
  if (status == 0) return;
  const char* why = stream->get_last_error(stream);
  throw_error(ErrorCode::invalid_argument, "the Arrow stream failed: {}",
              why == nullptr ? std::strerror(status) : why);
}

std::vector<Imported> import_stream(const nb::object& capsule) {
  auto* stream = pointer_of<ArrowArrayStream>(capsule, "arrow_array_stream");
  ArrowSchema given;
  check(stream, stream->get_schema(stream, &given));
  const auto schema = take(&given);
  std::vector<std::shared_ptr<ArrowArray>> nodes;
  while (true) {
    ArrowArray next;
    check(stream, stream->get_next(stream, &next));
    if (next.release == nullptr) break;
    nodes.push_back(take(&next));
  }
  const WithoutGil released;  // joins chunks and writes dictionaries out
  return import_nodes(*schema, nodes);
}

std::vector<Imported> import_array(const nb::object& schema, const nb::object& array) {
  const auto* of = pointer_of<ArrowSchema>(schema, "arrow_schema");
  const std::vector nodes{take(pointer_of<ArrowArray>(array, "arrow_array"))};
  const WithoutGil released;
  return import_nodes(*of, nodes);
}

}  // namespace

void bind_arrow_import(nb::module_& module) {
  module.def("import_arrow_stream", &import_stream, nb::arg("capsule"),
             "(name, Arrow format, Array) of each column; times and dates as plain integers.");
  module.def("import_arrow_array", &import_array, nb::arg("schema"), nb::arg("array"),
             "The same of the two capsules of __arrow_c_array__.");
}

}  // namespace otolith::bindings
