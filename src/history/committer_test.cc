// Group commit: one batch, one fsync; each decided in its turn; a failure hits those it concerns.
#include "history/committer.h"

#include <latch>
#include <set>

#include "history/test_log.h"

namespace otolith::history {

namespace {

// Threads of a busy machine wait longer for their turn than small_log allows.
LogOptions patient_log() {
  LogOptions options = small_log();
  options.lock_wait_ns = kLockWaitNs;
  return options;
}

// A toy of a history: a set of texts; a text that is in it already is a conflict.
struct Texts {
  TestDisk& disk;
  TestProcess process;
  std::mutex mutex;  // taken in decide, appended, undone and the sink only
  std::set<std::string> staged;
  std::set<std::string> published;
  std::atomic<int> synced_segments{0};  // times the segments of relaxed records were synced
  RecordNumber durable_at_sync{0};      // what was durable when they were
  std::atomic<int> prepared{0};
  std::unique_ptr<Committer> committer;

  explicit Texts(TestDisk& on) : disk(on), process(on.process(patient_log())) {
    CommitterHooks hooks;
    hooks.sink = [this](const Frame& frame) {
      const std::scoped_lock guard(mutex);
      if (frame.type == FrameType::commit) published.emplace(as_text(frame.payload));
    };
    hooks.before_durable = [this] {
      durable_at_sync = process.log->durable();
      ++synced_segments;
      return false;
    };
    committer = std::make_unique<Committer>(*process.log, *process.environment, std::move(hooks));
  }
};

struct Put : Submission {
  Texts& texts;
  const std::string text;
  const bool relaxed;
  int prepared = 0;
  int decided = 0;
  int laters = 0;  // times it asks to be decided later
  bool last_round = false;
  int undone_calls = 0;
  RecordNumber number{0};

  Put(Texts& of, std::string what, bool is_relaxed = false)
      : texts(of), text(std::move(what)), relaxed(is_relaxed) {}

  void prepare() override {
    ++prepared;
    ++texts.prepared;
  }
  Decision decide(const Turn& turn) override {
    const std::scoped_lock guard(texts.mutex);
    ++decided;
    last_round = turn.last_round;
    if (laters > 0 && !turn.last_round) {
      --laters;
      return Decision::later();
    }
    if (text.empty()) return Decision::nothing();
    if (texts.published.contains(text) || !texts.staged.insert(text).second) {
      throw_error(ErrorCode::conflict, "{} is there already", text);
    }
    return Decision::append(record_of(text, relaxed));
  }
  void appended(RecordNumber at) noexcept override {
    const std::scoped_lock guard(texts.mutex);
    number = at;
    texts.staged.erase(text);
    texts.published.insert(text);
  }
  void undone() noexcept override {
    const std::scoped_lock guard(texts.mutex);
    ++undone_calls;
    texts.staged.erase(text);
  }
};

// Submits all at once, from as many threads; the errors they met.
std::vector<std::optional<Error>> submit_at_once(Texts& texts,
                                                 std::vector<std::unique_ptr<Put>>& puts) {
  std::vector<std::optional<Error>> errors(puts.size());
  std::latch start(static_cast<std::ptrdiff_t>(puts.size()));
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < puts.size(); ++i) {
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      try {
        texts.committer->submit(*puts[i]);
      } catch (const Error& error) {
        errors[i] = error;
      }
    });
  }
  for (std::thread& each : threads) each.join();
  return errors;
}

}  // namespace

TEST_CASE("committer: a lone commit is decided once, appended and published") {
  TestDisk disk;
  Texts texts(disk);
  Put put(texts, "one");
  CHECK(texts.committer->submit(put) == RecordNumber{1});
  CHECK(put.number == RecordNumber{1});
  CHECK(put.prepared == 1);
  CHECK(put.decided == 1);
  CHECK(texts.published.contains("one"));
  CHECK(disk.process().refreshed() == "one");
}

TEST_CASE("committer: an empty change succeeds without a record") {
  TestDisk disk;
  Texts texts(disk);
  Put nothing(texts, "");
  CHECK(texts.committer->submit(nothing) == RecordNumber{0});
  CHECK(nothing.number == RecordNumber{0});
  CHECK(texts.process.log->last() == RecordNumber{0});
}

TEST_CASE("committer: records of others are seen before a decision is made") {
  TestDisk disk;
  Texts texts(disk);
  TestProcess other = disk.process();
  other.append("one");
  Put put(texts, "one");
  const Error error = error_of([&] { texts.committer->submit(put); });
  CHECK(error.code() == ErrorCode::conflict);
  CHECK(error.outcome() == Outcome::failed);
}

TEST_CASE("committer: of several that say the same at once, one wins and the others conflict") {
  for (int round = 0; round < 20; ++round) {
    TestDisk disk;
    Texts texts(disk);
    std::vector<std::unique_ptr<Put>> puts;
    for (int i = 0; i < 8; ++i) {
      puts.push_back(std::make_unique<Put>(texts, i % 2 == 0 ? "same" : fmt::format("own{}", i)));
    }
    const auto errors = submit_at_once(texts, puts);
    int conflicts = 0;
    for (const auto& error : errors) {
      if (!error) continue;
      CHECK(error->code() == ErrorCode::conflict);
      ++conflicts;
    }
    CHECK(conflicts == 3);
    CHECK(texts.staged.empty());
    TestProcess reader = disk.process();
    reader.refresh();
    CHECK(reader.seen.size() == 5);
    for (const auto& put : puts) {
      if (put->number == RecordNumber{0}) continue;
      const auto found = reader.seen.find(value_of(put->number));
      REQUIRE(found != reader.seen.end());
      CHECK(found->second == put->text);
    }
  }
}

TEST_CASE("committer: within a batch later commits see those before them") {
  TestDisk disk;
  Texts texts(disk);
  // The log is held by somebody else while they queue up: all but the first are of one batch.
  std::vector<std::unique_ptr<Put>> puts;
  for (int i = 0; i < 6; ++i)
    puts.push_back(std::make_unique<Put>(texts, fmt::format("p{}", i / 2)));
  auto held = texts.process.log->lock();
  std::thread release([&] {
    while (texts.prepared != 6) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(15));
    held.reset();
  });
  std::map<std::string, int> conflicts;
  const auto errors = submit_at_once(texts, puts);
  release.join();
  for (std::size_t i = 0; i < puts.size(); ++i) {
    if (errors[i]) CHECK(errors[i]->code() == ErrorCode::conflict);
    if (errors[i]) ++conflicts[puts[i]->text];
  }
  CHECK(conflicts == std::map<std::string, int>{{"p0", 1}, {"p1", 1}, {"p2", 1}});
  CHECK(texts.committer->counts().batches <= 2);
}

TEST_CASE("committer: commits that come while another is written share its successor's fsync") {
  TestDisk disk;
  Texts texts(disk);
  // The log is held by somebody else while they queue up: behind the first batch stand the others.
  std::vector<std::unique_ptr<Put>> puts;
  for (int i = 0; i < 12; ++i) puts.push_back(std::make_unique<Put>(texts, fmt::format("p{}", i)));
  auto held = texts.process.log->lock();
  std::thread release([&] {
    while (texts.prepared != 12) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(15));
    held.reset();
  });
  for (const auto& error : submit_at_once(texts, puts)) CHECK_FALSE(error.has_value());
  release.join();
  CHECK(texts.committer->counts().commits == 12);
  CHECK(texts.committer->counts().batches <= 3);
}

TEST_CASE("committer: a failed fsync fails all of the batch, and takes back what was staged") {
  TestDisk disk;
  Texts texts(disk);
  Put first(texts, "first");
  texts.committer->submit(first);
  std::vector<std::unique_ptr<Put>> puts;
  for (int i = 0; i < 6; ++i) puts.push_back(std::make_unique<Put>(texts, fmt::format("p{}", i)));
  disk.disk.inject({io::Operation::sync, 1, 5, false, true});
  const auto errors = submit_at_once(texts, puts);
  disk.disk.clear_faults();
  for (std::size_t i = 0; i < puts.size(); ++i) {
    REQUIRE(errors[i].has_value());
    CHECK(errors[i]->code() == ErrorCode::io);
    CHECK(errors[i]->outcome() != Outcome::none);
    CHECK(puts[i]->number == RecordNumber{0});
  }
  CHECK(texts.staged.empty());
  // What the next commit finds in the log counts, whatever it is; then life goes on.
  Put next(texts, "next");
  texts.committer->submit(next);
  TestProcess reader = disk.process();
  reader.refresh();
  const std::scoped_lock guard(texts.mutex);
  CHECK(reader.seen.size() == texts.published.size());
}

TEST_CASE(
    "committer: who asks for later is prepared again without the lock, three rounds at most") {
  TestDisk disk;
  Texts texts(disk);
  Put put(texts, "much");
  put.laters = 10;
  CHECK(texts.committer->submit(put) == RecordNumber{1});
  CHECK(put.prepared == 3);
  CHECK(put.decided == 3);
  CHECK(put.last_round);
}

TEST_CASE("committer: before a durable commit the segments of relaxed ones are synced") {
  TestDisk disk;
  Texts texts(disk);
  Put durable(texts, "durable");
  texts.committer->submit(durable);
  CHECK(texts.synced_segments == 1);
  Put relaxed(texts, "relaxed", true);
  texts.committer->submit(relaxed);
  CHECK(texts.process.log->durable() == RecordNumber{1});
  CHECK(texts.synced_segments == 1);
  Put next(texts, "next");
  texts.committer->submit(next);
  CHECK(texts.synced_segments == 2);
  CHECK(texts.durable_at_sync == RecordNumber{1});
  CHECK(texts.process.log->durable() == RecordNumber{3});
}

TEST_CASE("committer: relaxed commits are durable within a second, without anyone asking") {
  TestDisk disk;
  Texts texts(disk);
  Put relaxed(texts, "relaxed", true);
  const auto begin = std::chrono::steady_clock::now();
  texts.committer->submit(relaxed);
  while (texts.process.log->durable() != RecordNumber{1}) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    REQUIRE(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
  }
  CHECK(std::chrono::steady_clock::now() - begin > std::chrono::milliseconds(500));
  CHECK(texts.synced_segments == 1);
}

TEST_CASE("committer: close makes relaxed commits durable") {
  TestDisk disk;
  Texts texts(disk);
  Put relaxed(texts, "relaxed", true);
  texts.committer->submit(relaxed);
  texts.committer->close();
  CHECK(texts.process.log->durable() == RecordNumber{1});
  CHECK(texts.synced_segments == 1);
}

TEST_CASE("committer: on a full disk that commit fails and the next one goes on") {
  TestDisk disk;
  Texts texts(disk);
  Put first(texts, "first");
  texts.committer->submit(first);
  disk.disk.set_space_limit(disk.disk.bytes_used());
  Put large(texts, std::string(9000, 'x'));
  const Error error = error_of([&] { texts.committer->submit(large); });
  CHECK(error.code() == ErrorCode::no_space);
  CHECK(error.outcome() == Outcome::failed);
  CHECK(large.undone_calls == 1);
  disk.disk.set_space_limit(0);
  Put again(texts, std::string(9000, 'x'));
  CHECK(texts.committer->submit(again) == RecordNumber{2});
}

TEST_CASE("committer: one that fails in its turn leaves alone") {
  TestDisk disk;
  Texts texts(disk);
  struct Broken final : Put {
    using Put::Put;
    Decision decide(const Turn&) override { throw std::runtime_error("user code"); }
  } broken(texts, "broken");
  CHECK_THROWS_AS(texts.committer->submit(broken), std::runtime_error);
  Put put(texts, "fine");
  CHECK(texts.committer->submit(put) == RecordNumber{1});
}

TEST_CASE("committer: large commits share a batch up to a limit") {
  TestDisk disk;
  Texts texts(disk);
  std::vector<std::unique_ptr<Put>> puts;
  for (int i = 0; i < 4; ++i) {
    puts.push_back(std::make_unique<Put>(
        texts, fmt::format("{}", i) + std::string(static_cast<std::size_t>(kBatchBytesMax), 'x')));
  }
  for (const auto& error : submit_at_once(texts, puts)) CHECK_FALSE(error.has_value());
  CHECK(texts.committer->counts().commits == 4);
  CHECK(texts.committer->counts().batches == 4);
}

}  // namespace otolith::history
