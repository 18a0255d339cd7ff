#include "scan/unit.h"

#include "model/array.h"
#include "model/wire.h"

namespace otolith::scan {

Array piece_values(const RowSource& source, std::size_t piece, const Column& column,
                   std::uint64_t first, std::uint64_t rows, const codec::Target& target) {
  const ColumnId id{column.id};
  if (!source.type(id)) return model::conform_column(nullptr, column, rows);
  const Array stored = source.type(id) == column.type
                           ? source.values_into(piece, id, first, rows, target)
                           : source.values(piece, id, first, rows);
  return model::conform_column(&stored, column, rows);
}

Array unit_values(const Unit& unit, const Column& column) {
  std::vector<Array> arrays;
  for (const Selected& part : unit.parts) {
    for (const RowRange& range : part.ranges) {
      arrays.push_back(piece_values(*unit.source, part.piece, column, range.first, range.count));
    }
  }
  std::vector<const Array*> all;
  for (const Array& array : arrays) all.push_back(&array);
  return model::array_concat(all);
}

}  // namespace otolith::scan
