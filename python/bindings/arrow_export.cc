// Data as an Arrow stream: one record batch per piece, buffers shared with the result.
#include "arrow_abi.h"

#include <fmt/format.h>
#include <nanobind/stl/optional.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "bindings.h"
#include "model/array.h"
#include "model/bools.h"

namespace otolith::bindings {

namespace {

constexpr const char* kCapsuleName = "arrow_array_stream";

std::string format_of(Type type) {
  switch (type.kind) {
    case TypeKind::boolean:
      return "b";
    case TypeKind::int8:
      return "c";
    case TypeKind::int16:
      return "s";
    case TypeKind::int32:
      return "i";
    case TypeKind::int64:
      return "l";
    case TypeKind::uint8:
      return "C";
    case TypeKind::uint16:
      return "S";
    case TypeKind::uint32:
      return "I";
    case TypeKind::uint64:
      return "L";
    case TypeKind::float32:
      return "f";
    case TypeKind::float64:
      return "g";
    case TypeKind::timestamp:
      return "tsn:UTC";
    case TypeKind::decimal:
      return fmt::format("d:{},{}", type.precision, type.scale);
    case TypeKind::string:
      return "U";
    case TypeKind::binary:
      return "Z";
  }
  return "n";
}

/// Lets go of the children that the consumer has not moved away, then of the node itself.
template <typename Node, typename Kept>
void release(Node* node) {
  for (std::int64_t i = 0; i < node->n_children; ++i) {
    if (node->children[i]->release != nullptr) node->children[i]->release(node->children[i]);
  }
  delete static_cast<Kept*>(node->private_data);
  node->release = nullptr;
}

/// The time column and keys are never null, whatever was declared.
bool nullable(const Schema& schema, const Column& column) {
  const bool key = std::ranges::find(schema.keys, column.name) != schema.keys.end();
  return column.nullable && !key && column.name != schema.time;
}

/// What a schema node points into.
struct KeptSchema {
  std::shared_ptr<const Schema> schema;
  std::string format{};
  std::vector<ArrowSchema> children{};
  std::vector<ArrowSchema*> pointers{};
};

void export_schema(const std::shared_ptr<const Schema>& schema, ArrowSchema* out) {
  auto kept = std::make_unique<KeptSchema>(schema);
  kept->children.resize(schema->columns.size());
  for (std::size_t i = 0; i < schema->columns.size(); ++i) {
    const Column& column = schema->columns[i];
    ArrowSchema& child = kept->children[i];
    auto of_child = std::make_unique<KeptSchema>(schema, format_of(column.type));
    child = {.format = of_child->format.c_str(),
             .name = column.name.c_str(),
             .flags = nullable(*schema, column) ? kArrowNullable : 0,
             .release = &release<ArrowSchema, KeptSchema>};
    child.private_data = of_child.release();
    kept->pointers.push_back(&child);
  }
  *out = {.format = "+s",
          .name = "",
          .n_children = static_cast<std::int64_t>(kept->children.size()),
          .children = kept->pointers.data(),
          .release = &release<ArrowSchema, KeptSchema>};
  out->private_data = kept.release();
}

/// What an array node points into; `data` keeps buffers that have no owner of their own.
struct KeptArray {
  Data data;
  Array array;
  std::array<const void*, 3> buffers{};
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> pointers;
};

/// Booleans as the bits that Arrow has.
Array with_bits(const Array& array) {
  Array out = array;
  if (array.type.kind != TypeKind::boolean) return out;
  std::byte* bits = nullptr;
  out.values = buffer_allocate(model::bitmap_bytes(array.length), &bits);
  model::bools_pack(array, 0, array.length, bits);
  return out;
}

void export_column(const Data& data, const Array& given, ArrowArray* out) {
  static constexpr std::int64_t kNoOffsets = 0;
  auto kept = std::make_unique<KeptArray>(data, with_bits(given));
  const Array& array = kept->array;
  const bool text = model::is_text(array.type);
  const void* offsets = array.offsets.bytes.data();
  if (offsets == nullptr) offsets = &kNoOffsets;
  const void* validity = array.null_count == 0 ? nullptr : array.validity.bytes.data();
  kept->buffers = {validity, text ? offsets : array.values.bytes.data(), array.values.bytes.data()};
  *out = {.length = static_cast<std::int64_t>(array.length),
          .null_count = static_cast<std::int64_t>(array.null_count),
          .n_buffers = text ? 3 : 2,
          .buffers = kept->buffers.data(),
          .release = &release<ArrowArray, KeptArray>};
  out->private_data = kept.release();
}

void export_batch(const Data& data, const Batch& batch, ArrowArray* out) {
  auto kept = std::make_unique<KeptArray>(data);
  kept->children.resize(batch.columns.size());
  for (std::size_t i = 0; i < batch.columns.size(); ++i) {
    export_column(data, batch.columns[i], &kept->children[i]);
    kept->pointers.push_back(&kept->children[i]);
  }
  *out = {.length = static_cast<std::int64_t>(batch.rows),
          .n_buffers = 1,
          .n_children = static_cast<std::int64_t>(kept->children.size()),
          .buffers = kept->buffers.data(),
          .children = kept->pointers.data(),
          .release = &release<ArrowArray, KeptArray>};
  out->private_data = kept.release();
}

/// A result and how far the consumer has come.
struct KeptStream {
  Data data;
  std::size_t next = 0;
};

KeptStream& kept_by(ArrowArrayStream* stream) {
  return *static_cast<KeptStream*>(stream->private_data);
}

int get_schema(ArrowArrayStream* stream, ArrowSchema* out) {
  try {
    export_schema(kept_by(stream).data.schema_shared(), out);
    return 0;
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  }
}

int get_next(ArrowArrayStream* stream, ArrowArray* out) {
  KeptStream& kept = kept_by(stream);
  *out = {};  // a released array ends the stream
  try {
    const auto& batches = kept.data.batches();
    if (kept.next < batches.size()) export_batch(kept.data, batches[kept.next++], out);
    return 0;
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  }
}

void release_stream(ArrowArrayStream* stream) {
  delete &kept_by(stream);
  stream->release = nullptr;
}

void drop_capsule(PyObject* capsule) {
  auto* stream = static_cast<ArrowArrayStream*>(PyCapsule_GetPointer(capsule, kCapsuleName));
  if (stream->release != nullptr) stream->release(stream);
  delete stream;
}

nb::object arrow_stream(const Data& data) {
  auto stream = std::make_unique<ArrowArrayStream>();
  *stream = {.get_schema = &get_schema,
             .get_next = &get_next,
             .get_last_error = [](ArrowArrayStream*) -> const char* { return nullptr; },
             .release = &release_stream};
  stream->private_data = new KeptStream{data};
  nb::object capsule = nb::steal(PyCapsule_New(stream.get(), kCapsuleName, &drop_capsule));
  if (!capsule.is_valid()) throw nb::python_error();
  (void)stream.release();  // the capsule's now
  return capsule;
}

}  // namespace

void bind_arrow(nb::module_& module) {
  module.def("arrow_stream", &arrow_stream, nb::arg("data"),
             "A capsule of the Arrow C stream interface over the pieces of a result.");
}

}  // namespace otolith::bindings
