#include "history/reserve.h"

#include "base/error.h"
#include "base/log.h"

namespace otolith::history {

namespace {
constexpr const char* kReservePath = "log/reserve";
}  // namespace

bool Reserve::refill() {
  if (bytes_ == 0) return true;
  try {
    const auto there = vfs_.stat(kReservePath);
    if (there && there->size >= bytes_) return true;
    const auto file =
        vfs_.open(kReservePath, there ? io::OpenMode::read_write : io::OpenMode::create);
    file->preallocate(bytes_);
    return true;
  } catch (const Error& error) {
    log_line(LogLevel::warning, error.what());
    return false;
  }
}

bool Reserve::spend() {
  try {
    if (!vfs_.exists(kReservePath)) return false;
    vfs_.remove(kReservePath);
    return true;
  } catch (const Error& error) {
    log_line(LogLevel::warning, error.what());
    return false;
  }
}

}  // namespace otolith::history
