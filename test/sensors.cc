#include "test/sensors.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace otolith::test {

namespace {

std::string text_of(const Cell& cell) {
  if (!cell) return "-";
  if (const auto* units = std::get_if<Decimal>(&*cell)) return decimal_format(*units, 0);
  return std::visit(
      [](const auto& value) {
        if constexpr (std::is_same_v<decltype(value), const Decimal&>)
          return std::string();  // written above
        else
          return fmt::format("{}", value);
      },
      *cell);
}

}  // namespace

Schema sensors() {
  Schema schema;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false},
                    {.name = "sensor", .type = {TypeKind::string}, .nullable = false},
                    {.name = "value", .type = {TypeKind::float64}},
                    {.name = "count", .type = {TypeKind::int32}}};
  schema.keys = {"sensor"};
  return schema;
}

std::string text_of(const Batch& batch) {
  std::string out;
  for (const Row& row : rows_of(batch)) {
    for (std::size_t column = 0; column < row.size(); ++column) {
      if (column != 0) out += ' ';
      out += text_of(row[column]);
    }
    out += '\n';
  }
  return out;
}

std::string text_of(const Data& data) {
  std::string out;
  for (const Batch& batch : data.batches()) out += text_of(batch);
  return out;
}

Folder::Folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "otolith-XXXXXX").string();
  path_ = ::mkdtemp(pattern.data());
}

Folder::~Folder() { std::filesystem::remove_all(path_); }

}  // namespace otolith::test
