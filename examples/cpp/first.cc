// The first program of a C++ user: a table, three rows in one commit, and what they were before.
#include <otolith/otolith.h>

#include <cstring>
#include <iostream>
#include <vector>

namespace {

template <typename T>
otolith::Array column(otolith::TypeKind kind, const std::vector<T>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(T));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return {.type = {kind}, .length = values.size(), .values = otolith::buffer_of(std::move(bytes))};
}

}  // namespace

int main(int, char** arguments) {
  using otolith::TypeKind;
  try {
    auto db = otolith::Database::open(arguments[1]);
    otolith::Schema schema;
    schema.columns = {{.name = "time", .type = {TypeKind::timestamp}},
                      {.name = "bid", .type = {TypeKind::float64}}};
    const otolith::Table quotes = db.create_table("quotes", schema);

    otolith::Batch batch{.schema = quotes.schema(), .rows = 3};
    batch.columns.push_back(column<std::int64_t>(TypeKind::timestamp, {1, 2, 3}));
    batch.columns.push_back(column<double>(TypeKind::float64, {90.5, 91.0, 90.75}));
    const otolith::Commit commit = quotes.append(batch, {.author = "ana", .message = "first"});

    const otolith::Data data = quotes.read({.start = otolith::Timestamp{2}});
    std::cout << "commit " << static_cast<std::uint64_t>(commit.number) << ": " << data.rows()
              << " rows from 2 ns on, " << db.at("1").table("quotes").rows() << " before\n";
    return 0;
  } catch (const otolith::Error& error) {
    std::cerr << error.what() << '\n';
    return 3;
  }
}
