// JSON lines, or one JSON array of objects, as rows.
//
// Role:    import.
// Shapes:  one flat object a row; a missing or null field is null. Numbers that no type holds
//          without loss, nested values and other things than objects make a line bad.
// Errors:  as RowReader; limit for a record beyond kWindowBytesMax.
// Threads: thread-compatible.
// Why:     RapidJSON's reader (ADR 0081): each value is read once, as the type that its column has;
//          nested values are those of documents, and are not flattened behind the user's back.
#pragma once

#include <memory>

#include "files/row_reader.h"

namespace otolith::files {

class JsonReader final : public RowReader {
 public:
  /// `array`: one array of objects; else an object a line.
  JsonReader(TextSource& source, bool array);
  ~JsonReader() override;

  const std::vector<std::string>& names() const override { return names_; }
  void guess(std::vector<TypeGuess>& guesses, const std::vector<std::string>& nulls,
             const OnBadLine& on_bad_line) override;
  void begin(const ReadPlan& plan, OnBadLine on_bad_line) override;
  bool next(Batch& out) override;

 private:
  class Objects;

  void find_names();

  TextSource& source_;
  std::unique_ptr<Objects> objects_;
  std::vector<std::string> names_;
  ReadPlan plan_;
  OnBadLine on_bad_line_;
};

}  // namespace otolith::files
