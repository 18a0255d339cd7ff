#include "base/stopping.h"

#include <utility>

namespace otolith {

namespace {

thread_local const Stopping* innermost = nullptr;

}  // namespace

Stopping::Stopping(std::function<void()> asked) : asked_(std::move(asked)), outer_(innermost) {
  innermost = this;
}

Stopping::~Stopping() { innermost = outer_; }

void stop_point() {
  if (innermost == nullptr) return;
  struct Within {
    const Stopping* at = std::exchange(innermost, nullptr);
    ~Within() { innermost = at; }
  } const within;
  for (const Stopping* each = within.at; each != nullptr; each = each->outer_) each->asked_();
}

}  // namespace otolith
