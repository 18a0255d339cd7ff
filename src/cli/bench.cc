// `otolith bench [DIR]`
#include <fmt/format.h>

#include <functional>
#include <random>

#include "cli/listing.h"
#include "cli/reading.h"
#include "cli/verbs.h"
#include "db/inspection_words.h"
#include "io/environment.h"
#include "io/posix.h"
#include "otolith/database.h"

namespace otolith::cli {

namespace {

constexpr std::uint64_t kRowsDefault = 2'000'000;
constexpr std::uint64_t kRowsMax = 1'000'000'000;
constexpr std::uint64_t kRowBytes = 32;  // a time and three floats
constexpr int kCommits = 200;
constexpr std::int64_t kStepNs = 1'000'000'000;

// A folder that goes with all that is in it at the end of the scope.
class Scratch {
 public:
  explicit Scratch(const std::string& folder)
      : vfs_(io::posix_vfs(folder)),
        name_(fmt::format(".otolith-bench-{}", io::system_environment()->process_id())),
        path_(folder + "/" + name_) {}
  ~Scratch() {
    try {
      remove(name_);
    } catch (const Error&) {  // what is left is named after this process
      return;
    }
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::string& path() const noexcept { return path_; }

 private:
  // A database has folders of folders; what cannot be listed is a file.
  void remove(const std::string& path) {
    std::vector<std::string> names;
    try {
      names = vfs_->list(path);
    } catch (const Error&) {
      return vfs_->remove(path);
    }
    for (const std::string& name : names) remove(fmt::format("{}/{}", path, name));
    vfs_->remove_dir(path);
  }

  std::unique_ptr<io::Vfs> vfs_;
  std::string name_;
  std::string path_;
};

Array floats(std::uint64_t rows, std::uint64_t seed) {
  std::byte* bytes = nullptr;
  Array out{.type = {TypeKind::float64}, .length = rows};
  out.values = buffer_allocate(rows * sizeof(double), &bytes);
  auto* values = reinterpret_cast<double*>(bytes);
  std::mt19937_64 random(seed);
  double value = 100;
  for (std::uint64_t i = 0; i < rows; ++i) {
    value += static_cast<double>(random() % 201) / 100 - 1;  // a walk in cents
    values[i] = static_cast<double>(static_cast<std::int64_t>(value * 100)) / 100;
  }
  return out;
}

Batch rows_from(const std::shared_ptr<const Schema>& schema, std::uint64_t first,
                std::uint64_t rows) {
  std::byte* bytes = nullptr;
  Array times{.type = {TypeKind::timestamp}, .length = rows};
  times.values = buffer_allocate(rows * sizeof(std::int64_t), &bytes);
  auto* ns = reinterpret_cast<std::int64_t*>(bytes);
  for (std::uint64_t i = 0; i < rows; ++i) ns[i] = static_cast<std::int64_t>(first + i) * kStepNs;
  return {.schema = schema,
          .rows = rows,
          .columns = {std::move(times), floats(rows, 1), floats(rows, 2), floats(rows, 3)}};
}

class Bench {
 public:
  explicit Bench(std::uint64_t rows) : rows_(rows) {}

  Listing run(const std::string& path) {
    Listing out({{"what", TypeKind::string},
                 {"rows", TypeKind::uint64},
                 {"seconds", TypeKind::string},
                 {"rate", TypeKind::string}});
    Database database = Database::open(path);
    const Table table =
        database.create_table("rows", {.columns = {{.name = "time", .type = {TypeKind::timestamp}},
                                                   {.name = "a", .type = {TypeKind::float64}},
                                                   {.name = "b", .type = {TypeKind::float64}},
                                                   {.name = "c", .type = {TypeKind::float64}}}});
    const Batch all = rows_from(table.schema(), 0, rows_);
    line(out, "append, durable, one commit", rows_, [&] { table.append(all); });
    line(out, "read all columns", rows_, [&] { (void)table.read().column(1); });
    line(out, "read a tenth by condition", rows_,
         [&] { (void)table.read({.where = col("a") > all.columns[1].value<double>(rows_ / 2)}); });
    const double seconds = timed([&] {
      for (int i = 0; i < kCommits; ++i) {
        table.append(rows_from(table.schema(), rows_ + static_cast<std::uint64_t>(i) * 10, 10));
      }
    });
    out.add(std::string_view("append 10 rows, durable, each"), std::uint64_t{kCommits} * 10,
            fmt::format("{:.3f}", seconds),
            fmt::format("{:.0f} commits/s, {:.0f} µs each", kCommits / seconds,
                        seconds / kCommits * 1e6));
    line(out, "verify every byte", rows_, [&] { (void)database.verify(); });
    database.close();
    return out;
  }

 private:
  double timed(const std::function<void()>& work) {
    const std::uint64_t began = clock_->monotonic_ns();
    work();
    return static_cast<double>(clock_->monotonic_ns() - began) / 1e9;
  }
  void line(Listing& out, std::string_view what, std::uint64_t rows,
            const std::function<void()>& work) {
    const double seconds = timed(work);
    const double of_bytes = static_cast<double>(rows * kRowBytes) / seconds;
    out.add(what, rows, fmt::format("{:.3f}", seconds),
            fmt::format("{:.1f} M rows/s, {}/s", static_cast<double>(rows) / seconds / 1e6,
                        db::size_text(static_cast<std::uint64_t>(of_bytes))));
  }

  std::uint64_t rows_;
  std::shared_ptr<io::Environment> clock_ = io::system_environment();
};

int run_bench(const Words& words, const Sinks& sinks) {
  const std::uint64_t rows = words.count("--rows").value_or(kRowsDefault);
  if (rows < 10 || rows > kRowsMax)
    throw WrongUsage(fmt::format("--rows takes 10 to {}", kRowsMax));
  const Scratch scratch(words.has_operand("DIR") ? words.operand("DIR") : ".");
  Listing out = Bench(rows).run(scratch.path());
  out.write(format_of(words), look_of(words, sinks), sinks.out);
  return kDone;
}

}  // namespace

Verb bench_verb() {
  return {.name = "bench",
          .summary = "How fast this machine and this disk write and read, in some seconds",
          .operands = {{"DIR", "on which disk; what is written there goes again", false}},
          .options = joined({{{"--rows", "N", "of a time and three floats; 2,000,000 by default"}},
                             format_options()}),
          .examples = {{"bench /mnt/data", "rates of a disk"}},
          .details = {},
          .run = run_bench};
}

}  // namespace otolith::cli
