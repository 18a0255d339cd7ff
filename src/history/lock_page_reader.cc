#include "history/lock_page_reader.h"

#include <cstring>

#include "base/error.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mutant.h"

namespace otolith::history {

namespace {

// A word that fails its check is being written, or is damaged: this many looks tell which.
constexpr int kLooksMax = 1000;
constexpr int kLooksBetweenPauses = 100;  // of kLockPollMinNs: its writer may have lost its core

}  // namespace

LockPageReader::LockPageReader(io::Vfs& vfs, io::Environment& environment,
                               const LockIdentity& identity)
    : vfs_(vfs), environment_(environment), identity_(identity) {
  attach();
}

LockPage LockPageReader::read() {
  if (environment_.monotonic_ns() - attached_ns_ > kLockPageCheckNs) reattach();
  const LockPage page = look();
  const bool under_way = page.valid() && page.words.writing != 0;
  return under_way && reattach() ? look() : page;
}

LockPage LockPageReader::look() {
  for (int look = 0; look < kLooksMax; ++look) {
    if (!copy()) return {};
    bool torn = false;
    const LockPage page = judge(torn);
    if (!torn) return page;
    if (look % kLooksBetweenPauses == kLooksBetweenPauses - 1)
      environment_.sleep_ns(kLockPollMinNs);
  }
  return {};
}

// The same bytes say the same: between two commits only the first look counts seven checks.
LockPage LockPageReader::judge(bool& torn) {
  const bool same = std::memcmp(bytes_.data(), judged_.data(), bytes_.size()) == 0;
  if (page_of_them_.valid() && (same || mutant("log-page-never-anew"))) return page_of_them_;
  const LockPage page = decode_lock_page(bytes_, identity_, torn);
  if (page.valid()) {
    judged_ = bytes_;
    page_of_them_ = page;
  }
  return page;
}

bool LockPageReader::reattach() {
  attached_ns_ = environment_.monotonic_ns();
  try {
    const auto there = vfs_.stat(kLockPath);
    if (there && file_ && there->inode == inode_) return false;
  } catch (const Error&) {
    return false;  // what is attached may still be right
  }
  attach();
  return true;
}

void LockPageReader::attach() {
  attached_ns_ = environment_.monotonic_ns();
  file_.reset();
  try {
    auto file = vfs_.open(kLockPath, io::OpenMode::read);
    inode_ = file->stat().inode;
    file_ = std::move(file);
  } catch (const Error& error) {
    log_line(LogLevel::debug, error.what());  // no page that can be read: absent
  }
}

bool LockPageReader::copy() noexcept {
  if (!file_) return false;
  try {
    return file_->read_at(0, bytes_) == bytes_.size();
  } catch (const Error&) {
    return false;
  }
}

}  // namespace otolith::history
