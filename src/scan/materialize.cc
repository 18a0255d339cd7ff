#include "scan/materialize.h"

#include <cstring>

#include "base/limits.h"
#include "io/large_memory.h"
#include "model/array.h"
#include "segment/tasks.h"

namespace otolith::scan {

namespace {

// A column while its parts are filled in.
struct Filling {
  Array array;
  std::byte* values = nullptr;
  std::vector<Bytes> validity;  // by piece; empty where none is null
  std::vector<Array> texts;     // by piece
};

Filling filling_of(const Column& column, std::uint64_t rows, std::size_t pieces) {
  Filling out;
  out.array.type = column.type;
  out.array.length = rows;
  if (model::is_text(column.type)) {
    out.texts.resize(pieces);
  } else {
    const std::uint64_t bytes = rows * type_width(column.type);
    const auto memory = io::large_memory(bytes);
    out.values = memory.get();
    out.array.values = {memory, {out.values, bytes}};
    out.validity.resize(pieces);
  }
  return out;
}

void join_validity(Filling& filling, const std::vector<std::uint64_t>& first) {
  const auto some = [](const Bytes& bits) { return !bits.empty(); };
  if (std::ranges::none_of(filling.validity, some)) return;
  Array& array = filling.array;
  std::byte* bits = nullptr;
  Buffer joined = buffer_allocate(model::bitmap_bytes(array.length), &bits);
  std::memset(bits, 0, joined.bytes.size());
  for (std::size_t piece = 0; piece < filling.validity.size(); ++piece) {
    const std::uint64_t rows = first[piece + 1] - first[piece];
    Bytes& of = filling.validity[piece];
    if (of.empty()) of.assign(model::bitmap_bytes(rows), std::byte{0xff});
    model::bitmap_copy(of, 0, rows, bits, first[piece]);
  }
  array.null_count = model::bitmap_nulls(joined.bytes, array.length);
  if (array.null_count != 0) array.validity = std::move(joined);
}

Array finished(Filling& filling, const std::vector<std::uint64_t>& first) {
  if (!model::is_text(filling.array.type)) {
    join_validity(filling, first);
    return std::move(filling.array);
  }
  std::vector<const Array*> all;
  for (const Array& text : filling.texts) all.push_back(&text);
  return model::array_concat(all);
}

}  // namespace

Batch materialize(const std::vector<PieceRows>& pieces, const std::vector<Column>& columns,
                  std::shared_ptr<const Schema> schema, unsigned threads) {
  std::vector<std::uint64_t> first{0};
  for (const PieceRows& piece : pieces) first.push_back(first.back() + piece.ranges.rows());
  std::vector<Filling> fillings;
  for (const Column& column : columns)
    fillings.push_back(filling_of(column, first.back(), pieces.size()));
  segment::run_tasks(segment::threads_worth(threads, first.back()), columns.size() * pieces.size(),
                     [&](unsigned, std::size_t task) {
                       const std::size_t column = task / pieces.size();
                       const std::size_t piece = task % pieces.size();
                       Filling& filling = fillings[column];
                       const PieceRows& from = pieces[piece];
                       if (model::is_text(filling.array.type)) {
                         filling.texts[piece] =
                             gather_values(*from.source, from.piece, from.ranges, columns[column]);
                         return;
                       }
                       filling.validity[piece] = gather_fixed(
                           *from.source, from.piece, from.ranges, columns[column],
                           {filling.array.values.owner,
                            filling.values + first[piece] * type_width(filling.array.type)});
                     });
  Batch out{.schema = std::move(schema), .rows = first.back(), .columns = {}};
  for (Filling& filling : fillings) out.columns.push_back(finished(filling, first));
  return out;
}

}  // namespace otolith::scan
