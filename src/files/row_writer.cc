#include "files/row_writer.h"

#include <string>
#include <utility>

#include "base/error.h"
#include "db/json_writer.h"
#include "files/table_writer.h"
#include "files/value_text.h"

namespace otolith::files {

namespace {

constexpr std::size_t kPieceBytes = 1 << 18;  // of text, before it goes to the sink

// Text that goes to its sink in pieces.
class Pieces {
 public:
  explicit Pieces(TextSink sink) : sink_(std::move(sink)) { text_.reserve(kPieceBytes * 2); }

  std::string& text() noexcept { return text_; }
  void row_done() {
    if (text_.size() >= kPieceBytes) flush();
  }
  void flush() {
    if (!text_.empty()) sink_(text_);
    text_.clear();
  }

 private:
  TextSink sink_;
  std::string text_;
};

class CsvWriter final : public RowWriter {
 public:
  CsvWriter(const Schema& schema, TextSink sink, char separator)
      : out_(std::move(sink)), separator_(separator) {
    for (std::size_t i = 0; i < schema.columns.size(); ++i) {
      if (i != 0) out_.text() += separator_;
      put_text(schema.columns[i].name);
    }
    out_.text() += '\n';
  }

  void rows(const Batch& batch) override {
    for (std::uint64_t row = 0; row < batch.rows; ++row) {
      for (std::size_t i = 0; i < batch.columns.size(); ++i) {
        if (i != 0) out_.text() += separator_;
        put(batch.columns[i], row);
      }
      // A line of its own would be passed over where it is empty.
      if (batch.columns.size() == 1 && batch.columns[0].is_null(row)) out_.text() += "NA";
      out_.text() += '\n';
      out_.row_done();
    }
  }
  void end() override { out_.flush(); }

 private:
  void put(const Array& column, std::uint64_t row) {
    if (column.is_null(row)) return;
    if (column.type.kind == TypeKind::string || column.type.kind == TypeKind::binary) {
      std::string binary;
      if (column.type.kind == TypeKind::binary) put_value(binary, column, row);
      return put_text(column.type.kind == TypeKind::binary ? binary : column.text(row));
    }
    put_value(out_.text(), column, row);
  }
  void put_text(std::string_view text) {
    const bool bare = !text.empty() && text != "NA" && text.front() != ' ' && text.back() != ' ' &&
                      text.find_first_of(",\"\n\r;\t|") == std::string_view::npos;
    if (bare) {
      out_.text() += text;
      return;
    }
    out_.text() += '"';
    for (const char c : text) {
      if (c == '"') out_.text() += '"';
      out_.text() += c;
    }
    out_.text() += '"';
  }

  Pieces out_;
  char separator_;
};

// One object a row: a line of its own, or one of an array.
class JsonRows final : public RowWriter {
 public:
  JsonRows(std::shared_ptr<const Schema> schema, TextSink sink, NanAs nan, bool array)
      : schema_(std::move(schema)), out_(std::move(sink)), nan_(nan), array_(array) {
    for (const Column& column : schema_->columns) {
      std::string& name = names_.emplace_back(names_.empty() ? "{" : ", ");
      db::put_json_text(name, column.name);
      name += ": ";
    }
    if (array_) out_.text() += '[';
  }

  void rows(const Batch& batch) override {
    std::string& text = out_.text();
    for (std::uint64_t row = 0; row < batch.rows; ++row) {
      if (array_) text += first_ ? "\n" : ",\n";
      first_ = false;
      for (std::size_t i = 0; i < batch.columns.size(); ++i) {
        text += names_[i];
        put(text, batch.columns[i], row, i);
      }
      text += array_ ? "}" : "}\n";
      out_.row_done();
    }
  }
  void end() override {
    if (array_) out_.text() += first_ ? "]\n" : "\n]\n";
    out_.flush();
  }

 private:
  void put(std::string& text, const Array& column, std::uint64_t row, std::size_t index) {
    const TypeKind kind = column.type.kind;
    const bool no_number = !column.is_null(row) && is_no_number(column, row);
    if (no_number && nan_ == NanAs::refused) {
      throw_error(ErrorCode::invalid_argument,
                  "column {} holds a NaN or an infinity, which JSON has no word for; --nan null "
                  "writes null, --nan text the word in quotes",
                  quoted(schema_->columns[index].name));
    }
    if (column.is_null(row) || (no_number && nan_ == NanAs::null)) {
      text += "null";
    } else if (kind == TypeKind::string) {
      db::put_json_text(text, column.text(row));
    } else if (no_number || kind >= TypeKind::decimal) {  // decimals, times, binary
      text += '"';
      put_value(text, column, row);
      text += '"';
    } else {
      put_value(text, column, row);
    }
  }

  std::shared_ptr<const Schema> schema_;
  Pieces out_;
  NanAs nan_;
  bool array_;
  bool first_ = true;
  std::vector<std::string> names_;  // with what stands before each
};

}  // namespace

std::unique_ptr<RowWriter> row_writer(RowFormat format, std::shared_ptr<const Schema> schema,
                                      TextSink sink, const RowLook& look) {
  switch (format) {
    case RowFormat::csv:
      return std::make_unique<CsvWriter>(*schema, std::move(sink), look.separator);
    case RowFormat::ndjson:
      return std::make_unique<JsonRows>(std::move(schema), std::move(sink), look.nan, false);
    case RowFormat::json:
      return std::make_unique<JsonRows>(std::move(schema), std::move(sink), look.nan, true);
    case RowFormat::table:
      break;
  }
  return std::make_unique<TableWriter>(std::move(schema), std::move(sink), look);
}

}  // namespace otolith::files
