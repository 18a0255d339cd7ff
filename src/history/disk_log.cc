#include "history/disk_log.h"

#include "base/error.h"
#include "base/mutant.h"
#include "history/file_check.h"
#include "io/fork.h"

namespace otolith::history {

namespace {

LockIdentity identity_of(io::Vfs& vfs, io::Environment& environment, const Id128& database) {
  const auto directory = vfs.stat(kLogDirectory);
  if (!directory) {
    throw_corrupt(
        kLogDirectory, 0,
        fmt::format("{} has no log directory; restore it from a backup", vfs.describe("")));
  }
  const std::string boot = environment.boot_id();
  std::uint64_t handle = 0;
  if (boot.empty()) environment.random(std::as_writable_bytes(std::span(&handle, 1)));
  return LockIdentity(database, boot, *directory, handle);
}

}  // namespace

void Log::create(io::Vfs& vfs, io::Environment& environment, const Id128& database,
                 const LogOptions& options) {
  if (!vfs.make_dir(kLogDirectory) && !vfs.list(kLogDirectory).empty()) {
    throw_error(ErrorCode::conflict,
                "{} already holds a log; open it, or choose an empty directory", vfs.describe(""));
  }
  NewLogFile first;
  first.header.database = database;
  environment.random(first.header.salt.bytes);
  first.bytes_wanted = options.preallocate_bytes;
  LockFile(vfs, environment, identity_of(vfs, environment, database)).create();
  (void)begin_log_file(vfs, std::move(first));
  vfs.sync_dir("");
}

std::unique_ptr<Log> Log::open(std::shared_ptr<io::Vfs> vfs,
                               std::shared_ptr<io::Environment> environment, const Id128& database,
                               LogOptions options) {
  return std::make_unique<DiskLog>(std::move(vfs), std::move(environment), database,
                                   std::move(options));
}

DiskLog::DiskLog(std::shared_ptr<io::Vfs> vfs, std::shared_ptr<io::Environment> environment,
                 const Id128& database, LogOptions options)
    : vfs_(std::move(vfs)),
      environment_(std::move(environment)),
      database_(database),
      options_(std::move(options)),
      identity_(identity_of(*vfs_, *environment_, database)),
      forks_(io::fork_generation()),
      directory_(*vfs_, database),
      page_reader_(*vfs_, *environment_, identity_),
      lock_file_(*vfs_, *environment_, identity_),
      reserve_(*vfs_, options_.reserve_bytes) {
  directory_.refresh();
  epoch_ = directory_.epoch();
}

void DiskLog::seek(RecordNumber behind) {
  const MutexLock guard(mutex_);
  OTO_INVARIANT(last_ == RecordNumber{0} && reader_ == nullptr);
  last_ = behind;
  durable_ = behind;
}

void DiskLog::vouch(RecordNumber durable) {
  const MutexLock guard(mutex_);
  if (!mutant("log-saved-unvouched")) durable_ = std::max(durable_, std::min(durable, last_));
}

RecordNumber DiskLog::last() const {
  const MutexLock guard(mutex_);
  return last_;
}

RecordNumber DiskLog::durable() const {
  const MutexLock guard(mutex_);
  return std::min(last_, std::max(durable_, shown_durable_));
}

LogStatus DiskLog::status() {
  const MutexLock guard(mutex_);
  directory_.refresh();
  const LockPage page = page_reader_.read();
  LogStatus status;
  status.last = page.valid() ? std::max(last_, page.words.visible) : last_;
  status.durable = page.valid() ? std::max(durable_, page.words.durable) : last_;
  status.epoch = epoch_;
  status.torn_tails = torn_tails(*vfs_);
  for (const auto& [file, error] : directory_.damage()) status.damage.emplace_back(error.what());
  for (const auto& info : directory_.files()) {
    const auto stat = vfs_->stat(info->path);
    ++status.files;
    status.bytes += stat ? stat->size : 0;
    if (!stat) status.damage.push_back(info->path + " is missing");
  }
  return status;
}

void DiskLog::verify(const std::function<void(const Error&)>& problem) {
  LogDirectory directory(*vfs_, database_);
  directory.refresh();
  for (const auto& [file, error] : directory.damage()) problem(error);
  FileCheck::Extent last{RecordNumber{~0ull}, RecordNumber{0}};
  {
    const MutexLock guard(mutex_);
    const LockPage page = page_reader_.read();
    last.required = std::max(durable_, page.words.durable);
    if (page.valid()) last.until = last.required = page.words.visible;
  }
  if (directory.files().empty() || directory.files().front()->header.first != RecordNumber{1}) {
    problem(Error(ErrorCode::corrupt, "the log file that begins with record 1 is missing",
                  ErrorWhere{log_file_path(1), 0, {}}));
  }
  for (const auto& info : directory.files()) {
    FileCheck::Extent extent = last;
    if (const auto bound = directory.bound(*info)) {
      extent.until = extent.required = RecordNumber{value_of(*bound) - 1};
    }
    const OpenLogFile now = directory.reopen(*info, io::OpenMode::read);
    FileCheck(FrameReader(now.file, now.info), extent, problem).run();
  }
}

}  // namespace otolith::history
