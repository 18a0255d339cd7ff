#include "io/sim_disk.h"

#include "base/error.h"
#include "io/sim_core.h"
#include "io/sim_vfs.h"

namespace otolith::io {

SimDisk::SimDisk(const SimDiskOptions& options) : SimDisk(DiskState(options.tracked), options) {}

SimDisk::SimDisk(DiskState state, SimDiskOptions options)
    : shared_(std::make_shared<Shared>(std::move(state), std::move(options))) {}

std::unique_ptr<Vfs> SimDisk::attach(AttachOptions options) {
  return std::make_unique<SimVfs>(shared_, options);
}

void SimDisk::kill(const Vfs& process) {
  const auto* const mine = dynamic_cast<const SimVfs*>(&process);
  if (mine == nullptr || !mine->runs_on(*shared_)) {
    throw_error(ErrorCode::invalid_argument, "this Vfs is not attached to this simulated disk");
  }
  const MutexLock lock(shared_->mutex);
  shared_->core.end_process(mine->process());
}

void SimDisk::lose_power(const std::function<DiskState(const DiskState&)>& after_power_loss) {
  const MutexLock lock(shared_->mutex);
  shared_->core.lose_power(after_power_loss(shared_->core.state()));
}

SimDisk SimDisk::copy() const {
  const MutexLock lock(shared_->mutex);
  return SimDisk(shared_->core.state(), shared_->core.options());
}

DiskState SimDisk::state() const {
  const MutexLock lock(shared_->mutex);
  return shared_->core.state();
}

SimDiskOptions SimDisk::options() const {
  const MutexLock lock(shared_->mutex);
  return shared_->core.options();
}

void SimDisk::set_space_limit(std::uint64_t bytes) {
  const MutexLock lock(shared_->mutex);
  shared_->core.set_space_limit(bytes);
}

std::uint64_t SimDisk::bytes_used() const {
  const MutexLock lock(shared_->mutex);
  return shared_->core.bytes_used();
}

void SimDisk::inject(const Fault& fault) {
  const MutexLock lock(shared_->mutex);
  shared_->core.faults().inject(fault);
}

void SimDisk::clear_faults() {
  const MutexLock lock(shared_->mutex);
  shared_->core.faults().clear();
}

std::uint64_t SimDisk::faults_fired() const {
  const MutexLock lock(shared_->mutex);
  return shared_->core.faults().fired();
}

FaultSet::Calls SimDisk::calls() const {
  const MutexLock lock(shared_->mutex);
  return shared_->core.faults().calls();
}

void SimDisk::observe(Observer observer) {
  const MutexLock lock(shared_->mutex);
  shared_->core.observe(std::move(observer));
}

std::unique_ptr<Vfs> memory_vfs() {
  SimDiskOptions options;
  options.tracked = false;
  options.shown = ":memory:";
  return SimDisk(options).attach();
}

}  // namespace otolith::io
