// `otolith import DB DATASET FILE…`
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/limits.h"
#include "base/mutant.h"
#include "cli/bad_lines.h"
#include "cli/documents.h"
#include "cli/file_kind.h"
#include "cli/import_plan.h"
#include "cli/progress.h"
#include "cli/reading.h"
#include "cli/verbs.h"
#include "cli/wheel.h"
#include "db/inspection_words.h"
#include "db/json_writer.h"
#include "files/csv_reader.h"
#include "files/json_reader.h"
#include "files/table_writer.h"
#include "files/wildcards.h"
#include "model/array.h"
#include "model/utf8.h"
#include "otolith/database.h"

namespace otolith::cli {

namespace {

struct Input {
  std::string path;
  FileKind kind = FileKind::csv;
};

std::vector<Input> inputs_of(const Words& words) {
  std::vector<Input> out;
  for (const std::string& word : words.operands("FILE")) {
    const std::vector<std::string> paths =
        word == "-" ? std::vector<std::string>{word} : files::matching_files(word);
    for (const std::string& path : paths)
      out.push_back({path, file_kind_of(path, words.value("--format"))});
  }
  if (std::ranges::count(out, "-", &Input::path) > 1)
    throw WrongUsage("standard input (-) is given twice");
  return out;
}

files::CsvOptions csv_options(const Words& words) {
  files::CsvOptions out{.names = words.list("--names"), .header = words.flag("--header")};
  if (const auto separator = words.value("--separator")) {
    const std::string text = *separator == "tab" || *separator == "\\t" ? "\t" : *separator;
    if (text.size() != 1 || text == "\"" || text == "\n" || text == "\r")
      throw WrongUsage(
          fmt::format("--separator takes one character or tab, not {}", quoted(*separator)));
    out.separator = text[0];
  }
  return out;
}

// One file, open, with what reads it.
struct Opened {
  std::unique_ptr<files::TextSource> source;
  std::unique_ptr<files::RowReader> reader;
};

Opened open_input(const Input& input, const files::CsvOptions& csv, const Sinks& sinks) {
  Opened out;
  if (input.path == "-")
    out.source = std::make_unique<files::TextSource>("standard input", sinks.in);
  else
    out.source = std::make_unique<files::TextSource>(input.path);
  if (input.kind == FileKind::csv)
    out.reader = std::make_unique<files::CsvReader>(*out.source, csv);
  else
    out.reader = std::make_unique<files::JsonReader>(*out.source, input.kind == FileKind::json);
  return out;
}

// One import: from files to one commit.
class Import {
 public:
  Import(const Words& words, const Sinks& sinks, std::vector<Input> inputs)
      : words_(words),
        sinks_(sinks),
        inputs_(std::move(inputs)),
        csv_(csv_options(words)),
        bad_(sinks, words.value("--on-error").value_or("stop")),
        progress_(sinks, "import", "bytes"),
        name_(words.operand("DATASET")) {
    model::name_check("dataset", name_);
  }

  int run() {
    look();
    for (const Input& input : inputs_) read(input);
    const Commit commit = finish();
    progress_.clear();
    bad_.finish();
    report(commit);
    return kDone;
  }

 private:
  // The beginnings of all files, and what is to become of them.
  void look() {
    FoundColumns found;
    const std::vector<std::string> nulls =
        words_.flag("--null") ? words_.values("--null") : std::vector<std::string>{"", "NA"};
    for (const Input& input : inputs_) {
      Opened opened = open_input(input, csv_, sinks_);
      total_ += opened.source->size();
      known_ = known_ && opened.source->size() != 0;
      std::vector<files::TypeGuess> guesses(opened.reader->names().size());
      for (std::size_t i = 0; i < guesses.size(); ++i) {
        const std::size_t place = found.place(opened.reader->names()[i]);
        guesses[i] = found.guesses[place];
      }
      opened.reader->guess(guesses, nulls, bad_.stops() ? bad_line_taker() : nullptr);
      for (std::size_t i = 0; i < guesses.size(); ++i)
        found.guesses[found.place(opened.reader->names()[i])] = guesses[i];
      if (input.path == "-") stream_ = std::move(opened);
      // Objects may have fields later that the first ones lack.
      if (input.kind != FileKind::csv) add_told(found);
    }
    plan_of(found);
    if (!words_.flag("--quiet")) show_plan(plan_, found, sinks_);
  }

  void add_told(FoundColumns& found) const {
    for (const std::string& word : words_.values("--type")) {
      if (const std::size_t at = word.rfind('='); at != std::string::npos)
        found.place(word.substr(0, at));
    }
  }

  files::OnBadLine bad_line_taker() {
    return [this](const files::LeftOut& line) { bad_.take(line); };
  }

  void plan_of(const FoundColumns& found) {
    if (const auto database = there()) {
      if (database->contains(name_)) {
        plan_ = plan_of_old(database->table(name_).schema(), found, words_);
        exists_ = true;
        return;
      }
    }
    plan_ = plan_of_new(found, words_);
  }

  std::optional<Database> there() const {
    try {
      return Database::open(words_.operand("DB"), {.create = false, .read_only = true});
    } catch (const Error& error) {
      if (error.code() == ErrorCode::not_found) return std::nullopt;
      throw;
    }
  }

  void read(const Input& input) {
    Opened opened =
        input.path == "-" && stream_.reader ? std::move(stream_) : open_input(input, csv_, sinks_);
    opened.reader->begin(plan_, bad_line_taker());
    const std::uint64_t before = done_;
    Batch batch;
    while (opened.reader->next(batch)) {
      take(std::move(batch));
      done_ = before + opened.source->done();
      progress_.update(done_, known_ ? total_ : 0);
    }
    done_ = before + opened.source->done();
  }

  void take(Batch batch) {
    rows_ += batch.rows;
    held_bytes_ += model::batch_plain_bytes(batch);
    held_.push_back(std::move(batch));
    if (recorder_ || held_bytes_ > sinks_.held_bytes_max) stage();
  }

  // What fits the rows that are held, which are all or the first of many.
  Partition partition() const {
    std::uint64_t rows = 0;
    Timestamp first = kTimestampMax;
    Timestamp last = kTimestampMin;
    for (const Batch& batch : held_) {
      const auto* times = batch.columns[plan_.schema->time_index()].values.as<Timestamp>();
      rows += batch.rows;
      first = std::min(first, *std::min_element(times, times + batch.rows));
      last = std::max(last, *std::max_element(times, times + batch.rows));
    }
    return partition_for(words_, rows, first, last);
  }

  // Everything behind this writes.
  void begin() {
    if (database_) return;
    OpenOptions options;
    if (const auto threads = words_.count("--threads"))
      options.threads = static_cast<unsigned>(std::min<std::uint64_t>(*threads, kThreadsMax));
    database_ = Database::open(words_.operand("DB"), options);
    if (!exists_) {
      Schema schema = *plan_.schema;
      schema.partition = partition();
      database_->create_table(name_, schema,
                              {.commit = {.author = words_.value("--author"),
                                          .message = fmt::format("table {}", name_)}});
      made_ = true;
    }
  }

  void stage() {
    try {
      begin();
      if (!recorder_) recorder_ = database_->recorder(commit_of(words_));
      for (Batch& batch : held_) {
        recorder_->append(name_, batch);
        batch = {};
      }
    } catch (...) {
      undo();
      throw;
    }
    held_.clear();
    held_bytes_ = 0;
  }

  // Rows that are all held are lent as one batch; a recorder would copy them.
  Commit append_held() {
    begin();
    if (held_.empty()) return database_->head();
    Batch whole = model::batch_concat(held_);
    held_.clear();
    return database_->table(name_).append(whole, commit_of(words_));
  }

  Commit finish() {
    if (recorder_) stage();
    try {
      const Commit commit = recorder_ ? recorder_->commit() : append_held();
      database_->close();
      return commit;
    } catch (...) {
      undo();
      throw;
    }
  }

 public:
  // Where it failed behind the first write: no rows, and no table that it made.
  void undo() noexcept {
    if (!database_ || database_->closed() || mutant("import-failed-stays")) return;
    try {
      if (recorder_) recorder_->discard();
      if (made_ && database_->table(name_).rows() == 0)
        database_->drop(name_, {.message = "import failed"});
      database_->close();
    } catch (const Error&) {  // the disk is full or gone: the first error says so
      return;
    }
  }

 private:
  void report(const Commit& commit) {
    const double seconds = progress_.seconds();
    if (words_.flag("--json")) {
      db::JsonWriter out;
      out.object_begin()
          .field("rows", rows_)
          .field("left_out", bad_.count())
          .field("bytes", done_)
          .field("seconds", seconds)
          .field("commit", static_cast<std::uint64_t>(commit.number))
          .field("hash", commit.hash)
          .object_end();
      sinks_.out(out.text() + "\n");
      return;
    }
    sinks_.out(fmt::format(
        "{}: {}{} in commit {}; {} in {:.2f} s, {}/s\n", files::shown_text(name_),
        db::counted(rows_, "row"),
        bad_.count() == 0 ? "" : fmt::format(", {} left out", db::counted(bad_.count(), "line")),
        static_cast<std::uint64_t>(commit.number), db::size_text(done_), seconds,
        db::size_text(static_cast<std::uint64_t>(static_cast<double>(done_) / seconds))));
  }

  const Words& words_;
  const Sinks& sinks_;
  const std::vector<Input> inputs_;
  const files::CsvOptions csv_;
  BadLines bad_;
  ProgressLine progress_;
  const std::string name_;
  Opened stream_;  // standard input cannot be begun again
  files::ReadPlan plan_;
  bool exists_ = false;
  bool made_ = false;
  std::vector<Batch> held_;
  std::uint64_t held_bytes_ = 0;
  std::optional<Database> database_;
  std::optional<Recorder> recorder_;
  std::uint64_t rows_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
  bool known_ = true;
};

// Whether DATASET is a collection that is there.
bool goes_to_collection(const Words& words) {
  try {
    const Database database = open_to_read(words);
    const std::string name = words.operand("DATASET");
    return database.contains(name) && database.kind(name) == DatasetKind::collection;
  } catch (const Error&) {  // it is made, or what is wrong with it is told then
    return false;
  }
}

int import_documents(const Words& words, const Sinks& sinks, const std::vector<Input>& inputs) {
  std::vector<Document> documents;
  for (const Input& input : inputs) {
    if (input.kind != FileKind::ndjson && input.kind != FileKind::json)
      throw WrongUsage("documents are JSON: give files of .ndjson or .json, or --format");
    for (Document& document : documents_of(input.path, sinks))
      documents.push_back(std::move(document));
  }
  Database database = Database::open(words.operand("DB"), {.create = false});
  const Collection collection = database.collection(words.operand("DATASET"));
  const Commit commit = collection.put(documents, {.commit = commit_of(words)});
  sinks.out(fmt::format("{}: {} in commit {}\n", files::shown_text(collection.name()),
                        db::counted(documents.size(), "document"),
                        static_cast<std::uint64_t>(commit.number)));
  database.close();
  return kDone;
}

int run_import(const Words& words, const Sinks& sinks) {
  std::vector<Input> inputs = inputs_of(words);
  if (goes_to_collection(words)) return import_documents(words, sinks, inputs);
  for (const Input& input : inputs) {
    if (needs_wheel(input.kind)) return through_wheel(words, input.kind, sinks);
  }
  Import import(words, sinks, std::move(inputs));
  try {
    return import.run();
  } catch (...) {
    import.undo();
    throw;
  }
}

}  // namespace

Verb import_verb() {
  return {
      .name = "import",
      .summary = "Reads files into a table or a collection, all of them in one commit",
      .operands = {{"DB", "a database directory; made if it is missing"},
                   {"DATASET", "which table; made if it is missing"},
                   {"FILE", "files, patterns such as '2026-*.csv', or - for standard input", true,
                    true}},
      .options = joined(
          {{{"--time", "C", "the column that is the time"},
            {"--key", "C", "a key column; again: the next one", '\0', true},
            {"--type", "C=T",
             "a column's type, instead of the guess: int32, float64, string, "
             "timestamp(ms), decimal(12,2) ...",
             '\0', true},
            {"--columns", "A,B", "only these columns"},
            {"--dates", "day-first|month-first", "how dates such as 1/2/2026 are meant"},
            {"--null", "TEXT", "what means null; again: another; by default empty and NA", '\0',
             true},
            {"--format", "csv|ndjson|json|parquet|arrow", "instead of what the ending says"},
            {"--separator", "CHARACTER", "of CSV; by default , ; tab or |, as the file has it"},
            {"--names", "A,B", "the names of the columns of CSV without a line of names"},
            {"--header", "", "the first line of CSV holds names, though they look like values"},
            {"--on-error", "stop|skip|DIR",
             "what becomes of bad lines; by default stop: nothing is "
             "imported"},
            {"--partition", "none|hour|day|month|year",
             "of a new table; by default what fits its rows"},
            {"--duplicates", "keep|last|first|error", "of a new table: rows of one key and time"},
            {"--codec", "hot|small|raw", "of a new table"},
            {"--threads", "N", "at most so many; by default one a core"},
            {"--quiet", "", "do not show the types"},
            {"--json", "", "one JSON object about what was done"}},
           commit_options()}),
      .examples = {{"import market.oto quotes quotes.csv --time time --key symbol",
                    "types are guessed from the beginning of the file, and shown"},
                   {"import market.oto quotes 'feed-*.ndjson' --on-error rejected",
                    "bad lines are set aside in the folder rejected"},
                   {"import market.oto quotes - --format csv < quotes.csv", "from a pipe"}},
      .details =
          "Where a later value contradicts a type, the error names file, line and column, "
          "and nothing\nis imported. Parquet and Arrow are read by the script of the Python "
          "package, with pyarrow.",
      .run = run_import};
}

}  // namespace otolith::cli
