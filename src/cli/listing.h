// A small table of facts, in the formats that rows have.
//
// Role:    log, tag, status: whatever lists things that are no rows of a table.
// Shapes:  columns of text, whole numbers and times; one add for each line, a value a column.
// Errors:  none.
// Threads: thread-compatible.
#pragma once

#include <concepts>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "files/row_writer.h"
#include "model/array.h"
#include "otolith/timestamp.h"

namespace otolith::cli {

class Listing {
 public:
  explicit Listing(const std::vector<std::pair<std::string_view, TypeKind>>& columns) {
    Schema schema;
    for (const auto& [name, kind] : columns) {
      schema.columns.push_back({.name = std::string(name), .type = {kind}});
      builders_.emplace_back(Type{kind});
    }
    schema_ = std::make_shared<const Schema>(std::move(schema));
  }

  template <typename... Values>
  void add(const Values&... values) {
    std::size_t column = 0;
    (put(builders_[column++], values), ...);
    ++rows_;
  }

  void write(files::RowFormat format, const files::RowLook& look, const files::TextSink& sink) {
    Batch batch{.schema = schema_, .rows = rows_, .columns = {}};
    for (model::ArrayBuilder& builder : builders_) batch.columns.push_back(builder.finish());
    const auto writer = files::row_writer(format, schema_, sink, look);
    writer->rows(batch);
    writer->end();
  }

 private:
  static void put(model::ArrayBuilder& builder, std::string_view text) {
    builder.append_text(text);
  }
  static void put(model::ArrayBuilder& builder, std::integral auto number) {
    builder.append_value(static_cast<std::uint64_t>(number));
  }
  static void put(model::ArrayBuilder& builder, Timestamp time) { builder.append_value(time.ns); }

  std::shared_ptr<const Schema> schema_;
  std::vector<model::ArrayBuilder> builders_;
  std::uint64_t rows_ = 0;
};

}  // namespace otolith::cli
