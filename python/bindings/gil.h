// The GIL let go of and taken, by threads that may outlive the interpreter.
//
// Role:    every call that releases the GIL, and every callback that needs it.
// Shapes:  guards of one scope; WithoutGil where the GIL is held, WithGil anywhere.
// Errors:  none.
// Threads: thread-safe.
// Why:     once Python has begun to end, it ends a thread that asks for the GIL by an unwinding
//          that no noexcept function survives (std::terminate), destructors and nanobind's guards
//          among them: a daemon thread in a call took the whole process down. Such a thread stays
//          where it is instead, as Python 3.14 has it; it holds nothing, and the process ends.
#pragma once

#include <Python.h>
#include <cxxabi.h>

#include <chrono>
#include <thread>
#include <utility>

namespace otolith::bindings {

/// Calls into Python, which may end this thread meanwhile: then it stays here.
template <typename Call>
decltype(auto) or_stay(Call&& call) {
  try {
    return std::forward<Call>(call)();
  } catch (const abi::__forced_unwind&) {
    while (true) std::this_thread::sleep_for(std::chrono::hours(1));
  }
}

/// Logs what the library had to say since the last call, under the GIL (log.cc).
void log_deliver() noexcept;

/// The GIL let go of; when it is taken again, the log is delivered.
class WithoutGil {
 public:
  WithoutGil() noexcept : state_(PyEval_SaveThread()) {}
  WithoutGil(const WithoutGil&) = delete;
  WithoutGil& operator=(const WithoutGil&) = delete;
  ~WithoutGil() {
    or_stay([this] { PyEval_RestoreThread(state_); });
    log_deliver();
  }

 private:
  PyThreadState* state_;
};

/// The GIL taken, whether the thread has it or not.
class WithGil {
 public:
  WithGil() noexcept : state_(or_stay(&PyGILState_Ensure)) {}
  WithGil(const WithGil&) = delete;
  WithGil& operator=(const WithGil&) = delete;
  ~WithGil() { PyGILState_Release(state_); }

 private:
  PyGILState_STATE state_;
};

}  // namespace otolith::bindings
