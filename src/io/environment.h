// Clock, randomness and the identity of this process: the other things only `io` asks the OS for.
//
// Role:    commit times, ids and salts, lock waits; tests drive all of it from one seed.
// Shapes:  wall time int64 ns UTC; monotonic time ns; random bytes.
// Errors:  io if the system gives no randomness.
// Threads: thread-safe.
// Why:     one object that is handed down, so that no room ever reads a clock of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "otolith/timestamp.h"

namespace otolith::io {

/// What a database asks of its surroundings besides files.
class Environment {
 public:
  virtual ~Environment() = default;
  virtual Timestamp now() = 0;               // wall clock; may jump
  virtual std::uint64_t monotonic_ns() = 0;  // never goes back
  virtual void sleep_ns(std::uint64_t duration_ns) = 0;
  virtual void random(std::span<std::byte> out) = 0;
  virtual std::string boot_id() = 0;          // changes when the machine restarts;
                                              // empty if unknown: equal to nothing
  virtual std::uint64_t process_id() = 0;     // of the calling process, also after fork
  virtual std::uint64_t process_start() = 0;  // so that a reused pid is told apart
};

/// The machine's own clock and randomness.
std::shared_ptr<Environment> system_environment();

/// Which process of which simulated machine an Environment stands for.
struct SimulatedProcess {
  std::uint64_t boot = 1;     // another number: the machine was restarted
  std::uint64_t process = 1;  // its id; its start time is derived from it and the seed
};

/// All from one seed: time advances by a microsecond a look, sleep advances it.
std::shared_ptr<Environment> simulated_environment(std::uint64_t seed,
                                                   SimulatedProcess process = {});

}  // namespace otolith::io
