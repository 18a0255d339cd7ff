#include "test/stateful/machine.h"

#include <fmt/format.h>

#include <utility>

#include "base/ids.h"
#include "base/limits.h"
#include "io/power_loss.h"

namespace otolith::stateful {

namespace {

history::HistoryOptions small_sizes(Random& random) {
  constexpr std::array<std::uint64_t, 4> kInlineBytes{0, 300, 4000, kInlineBytesMax};
  history::HistoryOptions sizes;
  sizes.log.file_bytes = (4 + below(random, 60)) << 10;
  sizes.log.preallocate_bytes = 4 << 10;
  sizes.log.reserve_bytes = 4 << 10;
  sizes.tail_bytes_max = std::uint64_t{2000} << below(random, 6);
  sizes.tail_commits_max = 1 + below(random, 12);
  sizes.checkpoint_commits = 1 + below(random, 10);
  sizes.sweep_after_ns = 0;  // of what was joined
  sizes.inline_bytes_max = kInlineBytes[below(random, kInlineBytes.size())];
  return sizes;
}

}  // namespace

Machine::Machine(std::uint64_t seed, Tally& tally, Lie lie)
    : seed_(seed), lie_(lie), tally_(tally), random_(seed), sizes_(small_sizes(random_)) {}

// Where a run ended early recorders go before the databases they belong to.
Machine::~Machine() {
  for (Handle& handle : handles_) handle.recording.reset();
}

void Machine::run(const Program& program) {
  for (const Step& step : program) {
    try {
      take(step);
    } catch (const Error& error) {
      differ(error.what());
    }
  }
  try {
    end();
  } catch (const Error& error) {
    differ(std::string("at the end: ") + error.what());
  }
}

void Machine::differ(const std::string& what) const { throw Differs{what}; }

void Machine::require(bool holds, const std::string& what) const {
  if (!holds) differ(what);
}

void Machine::say(const std::string& what) { trace_ += what; }

void Machine::take(const Step& step) {
  random_.seed(step.seed);
  Handle& handle = some_handle();
  ++tally_.steps[verb_name(step.verb)];
  say(fmt::format("\n  {:2} handle {}: {}", head(), &handle - handles_.data(),
                  verb_name(step.verb)));
  using enum Verb;
  static const std::map<Verb, void (Machine::*)(Handle&)> kVerbs{
      {create, &Machine::create},
      {append, &Machine::append},
      {remove, &Machine::remove},
      {replace, &Machine::replace},
      {alter, &Machine::alter},
      {rename, &Machine::rename},
      {drop, &Machine::drop},
      {stage, &Machine::stage},
      {settle, &Machine::settle},
      {retry, &Machine::retry},
      {reuse, &Machine::reuse},
      {tag, &Machine::tag},
      {reopen, &Machine::close},
      {kill, &Machine::kill},
      {cut, &Machine::cut},
      {full, &Machine::full},
      {hold, &Machine::hold},
      {wait, &Machine::wait},
      {rollback, &Machine::rollback},
      {rollback_some, &Machine::rollback_some},
      {revert, &Machine::revert},
      {refuse, &Machine::refuse},
      {put, &Machine::put},
      {patch, &Machine::patch},
      {remove_documents, &Machine::remove_documents}};
  if (step.verb == Verb::sync) {
    handle.db->sync();
    durable_ = head();
  } else if (step.verb == Verb::compact) {
    handle.db->compact();
    durable_ = head();
  } else {
    (this->*kVerbs.at(step.verb))(handle);
  }
  check_head(some_handle());
  check_old(some_handle());
}

Machine::Handle& Machine::some_handle() { return open(chance_.of(handles_)); }

Machine::Handle& Machine::open(Handle& handle) {
  if (handle.db) return handle;
  handle.vfs = disk_.attach();
  handle.db = open_database(
      handle.vfs, {.durability = chance_.one_in(3) ? Durability::relaxed : Durability::durable,
                   .threads = chance_.one_in(8) ? 2u : 1u,
                   .memory_bytes = kMemoryBytesMin,
                   .author = "ana",
                   .lock_wait_ns = 1'000'000'000'000});
  return handle;
}

Database Machine::open_database(const std::shared_ptr<io::Vfs>& vfs, const OpenOptions& options) {
  const std::uint64_t process = ++processes_;
  return db::Door::open(
      vfs, io::simulated_environment(seed_ * 1000 + process, {.boot = boots_, .process = process}),
      options, sizes_);
}

// A recorder outlives its database for a moment: all it can do then is discard.
void Machine::close(Handle& handle) {
  check_held(handle);
  handle.held.clear();
  if (chance_.one_in(2)) handle.recording.reset();
  handle.db->close();
  if (handle.recording) {
    must_refuse({ErrorCode::invalid_argument}, "a commit behind closing",
                [&] { handle.recording->recorder.commit(); });
    handle.recording->recorder.discard();
    handle.recording.reset();
  }
  must_refuse({ErrorCode::invalid_argument}, "a call behind closing",
              [&] { (void)handle.db->head(); });
  handle.db.reset();
}

void Machine::kill(Handle& handle) {
  disk_.kill(*handle.vfs);
  handle.held.clear();
  handle.recording.reset();
  handle.db.reset();
}

// What was durable is there; of relaxed commits behind it the first ones, or all.
void Machine::cut(Handle&) {
  using Kind = io::PowerLoss::Kind;
  constexpr std::array kKinds{Kind::random, Kind::random, Kind::nothing, Kind::everything};
  const io::PowerLoss loss{chance_.of(kKinds), 0, chance_.upto(UINT64_MAX)};
  for (Handle& handle : handles_) handle.held.clear();
  disk_.lose_power([&](const io::DiskState& state) { return io::after_power_loss(state, loss); });
  for (Handle& handle : handles_) {
    handle.recording.reset();
    handle.db.reset();
  }
  ++boots_;
  const std::uint64_t number = value_of(some_handle().db->head().number);
  require(number >= durable_, fmt::format("commit {} is lost, which was durable", durable_));
  require(number <= head(), "a commit that nobody made");
  if (number < head()) say(fmt::format(", {} relaxed commits are lost", head() - number));
  lost_ = lost_ || number < head();
  tally_.lost += head() - number;
  committed_.resize(number + 1);
  durable_ = number;
  std::erase_if(requests_, [&](const Request& request) { return request.number > number; });
}

std::string Machine::some_table() {
  std::vector<std::string> tables;
  while (tables.empty()) {
    for (const auto& [name, table] : now()) {
      if (!table.documents) tables.push_back(name);
    }
    if (tables.empty()) create(some_handle());
  }
  return chance_.of(tables);
}

std::string Machine::some_dataset() {
  if (now().empty()) create(some_handle());
  auto at = now().begin();
  std::advance(at, static_cast<std::ptrdiff_t>(chance_.upto(now().size())));
  return at->first;
}

std::string Machine::some_change_id() { return fmt::format("{:032x}", ++change_ids_); }

// A recorder's time could be before that of who commits meanwhile, and be refused.
CommitOptions Machine::some_options(bool of_a_recorder) {
  CommitOptions out;
  if (chance_.one_in(3)) out.author = "bob";
  if (chance_.one_in(3)) out.message = fmt::format("message {}", head());
  if (chance_.one_in(8)) out.extra = R"({"of":"a test"})";
  if (chance_.one_in(3)) out.change_id = some_change_id();
  if (!of_a_recorder && head() != 0 && chance_.one_in(10)) {
    out.time = committed_.back().time;
    out.time->ns += static_cast<std::int64_t>(chance_.upto(3)) * 1'000'000'000;
  }
  return out;
}

void Machine::end() {
  say("\n     the end");
  for (Handle& handle : handles_) {
    if (!handle.db) continue;
    check_head(handle);
    check_held(handle);
    handle.held.clear();
    handle.recording.reset();
    handle.db->close();
    handle.db.reset();
  }
  Database db = open_database(disk_.attach(), {.threads = 1});
  check_all(db);
  say("\n     all moved into segments");
  db.compact();
  check_all(db);
  const Status status = db.status();
  for (const auto& [name, dataset] : status.datasets) {
    require(dataset.tail_rows == 0, "rows are left in the tail of " + name);
    tally_.segments += dataset.segments;
  }
  require(status.unnamed_files == 0, "files that nobody needs are left");
  tally_.commits += head();
}

}  // namespace otolith::stateful
