#include "files/csv_rows.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

using namespace otolith::files;

namespace {

using Records = std::vector<std::vector<std::string>>;

Records records_of(const std::string& text, const CsvShape& shape, std::size_t& bad) {
  CsvRows rows;
  find_rows(rows, text, true, shape);
  CHECK(rows.consumed == text.size());
  bad = rows.bad.size();
  Records out;
  std::string scratch;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    auto& record = out.emplace_back();
    for (std::size_t column = 0; column < shape.columns; ++column)
      record.emplace_back(unquoted(rows.field(row, column), scratch));
  }
  return out;
}

// Byte by byte, as RFC 4180 has it; for text that is in order.
Records plain_records(const std::string& text, char separator) {
  Records out(1, {""});
  bool inside = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (inside) {
      if (c != '"') {
        out.back().back() += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        out.back().back() += '"';
        ++i;
      } else {
        inside = false;
      }
    } else if (c == '"') {
      inside = true;
    } else if (c == separator) {
      out.back().emplace_back();
    } else if (c == '\n') {
      out.push_back({""});
    } else if (c != '\r') {
      out.back().back() += c;
    }
  }
  out.pop_back();
  return out;
}

}  // namespace

TEST_CASE("csv rows: random tables are found as a loop over bytes finds them") {
  std::mt19937_64 random(20260101);
  for (int round = 0; round < 3000; ++round) {
    const std::size_t columns = 1 + random() % 6;
    const bool quotes = random() % 3 != 0;
    const bool broken = random() % 8 == 0;
    std::string text;
    const std::size_t rows = 1 + random() % 40;
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t column = 0; column < columns; ++column) {
        if (column != 0) text += ';';
        std::string field;
        for (std::size_t i = random() % 20; i > 0; --i) field += "ab,\r12é"[random() % 8];
        if (quotes && random() % 3 == 0) {
          text += "\"" + field + (random() % 2 ? "\"\";\n\"\"" : "") + "\"";
        } else {
          std::erase(field, '\r');
          std::erase(field, '\0');
          text += field.empty() && columns == 1 ? "x" : field;
        }
      }
      if (broken && row == rows / 2) text += ";more";
      text += random() % 4 == 0 ? "\r\n" : "\n";
    }
    std::erase(text, '\0');
    for (char& c : text) {
      if ((c & 0x80) != 0) c = 'e';  // halves of characters
    }
    const CsvShape shape{.separator = ';', .columns = columns};
    std::size_t bad = 0;
    const Records found = records_of(text, shape, bad);
    Records plain = plain_records(text, ';');
    std::erase_if(plain, [&](const auto& record) { return record.size() != columns; });
    CAPTURE(text);
    if (broken) {
      CHECK(bad >= 1);
    } else {
      CHECK(bad == 0);
      for (auto& record : plain) {
        for (std::string& field : record) std::erase(field, '\r');
      }
      Records without = found;
      for (auto& record : without) {
        for (std::string& field : record) std::erase(field, '\r');
      }
      CHECK(without == plain);
    }
  }
}

TEST_CASE("csv rows: a window that is cut anywhere gives whole rows, and the rest later") {
  const std::string text = "1,\"a\nb\"\n22,\"c,\"\"d\"\r\n333,e\n";
  const CsvShape shape{.separator = ',', .columns = 2};
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    CsvRows rows;
    find_rows(rows, std::string_view(text).substr(0, cut), false, shape);
    const std::size_t first = rows.size();
    const std::size_t consumed = rows.consumed;
    CHECK(rows.bad.empty());
    find_rows(rows, std::string_view(text).substr(consumed), true, shape);
    CHECK(first + rows.size() == 3);
    CHECK(rows.bad.empty());
  }
}
