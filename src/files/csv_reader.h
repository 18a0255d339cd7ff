// A CSV file as rows.
//
// Role:    import.
// Shapes:  RFC 4180: fields in quotes may hold separators, line feeds and doubled quotes; lines end
//          in LF or CR LF; empty lines are passed over. The separator is the one of , ; tab | that
//          cuts the first lines into as many fields each, unless it is given.
// Errors:  invalid_argument for a header that is none: empty or doubled names, values for names.
// Threads: thread-compatible.
#pragma once

#include <optional>

#include "files/csv_rows.h"
#include "files/row_reader.h"

namespace otolith::files {

struct CsvOptions {
  std::optional<char> separator{};
  std::optional<std::vector<std::string>> names{};  // the file has no line of names; these are they
  bool header = false;                              // the first line holds names, whatever it says
};

class CsvReader final : public RowReader {
 public:
  CsvReader(TextSource& source, const CsvOptions& options);

  const std::vector<std::string>& names() const override { return names_; }
  void guess(std::vector<TypeGuess>& guesses, const std::vector<std::string>& nulls,
             const OnBadLine& on_bad_line) override;
  void begin(const ReadPlan& plan, OnBadLine on_bad_line) override;
  bool next(Batch& out) override;
  char separator() const noexcept { return shape_.separator; }

 private:
  void take_names(const CsvOptions& options);
  void check_names(bool forced) const;
  Batch values(std::vector<BadLine>& troubles);
  void tell(std::vector<BadLine>& troubles, const OnBadLine& on_bad_line) const;
  void leave_out(const std::vector<std::uint32_t>& failed);

  TextSource& source_;
  CsvShape shape_;
  std::vector<std::string> names_;
  ReadPlan plan_;
  OnBadLine on_bad_line_;
  std::vector<std::size_t> columns_;  // of the file, by those of the plan
  CsvRows rows_;
};

}  // namespace otolith::files
