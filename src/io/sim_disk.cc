#include "io/sim_disk.h"

#include "base/error.h"
#include "io/sim_core.h"
#include "io/sim_vfs.h"

namespace otolith::io {

SimDisk::SimDisk(const SimDiskOptions& options) : SimDisk(DiskState(options.tracked), options) {}

SimDisk::SimDisk(DiskState state, SimDiskOptions options)
    : core_(std::make_shared<Core>(std::move(state), std::move(options))) {}

std::unique_ptr<Vfs> SimDisk::attach(AttachOptions options) {
  return std::make_unique<SimVfs>(core_, options);
}

void SimDisk::kill(const Vfs& process) {
  const auto* const mine = dynamic_cast<const SimVfs*>(&process);
  if (mine == nullptr || !mine->runs_on(*core_)) {
    throw_error(ErrorCode::invalid_argument, "this Vfs is not attached to this simulated disk");
  }
  const std::scoped_lock lock(core_->mutex());
  core_->end_process(mine->process());
}

void SimDisk::lose_power(const std::function<DiskState(const DiskState&)>& after_power_loss) {
  const std::scoped_lock lock(core_->mutex());
  core_->lose_power(after_power_loss(core_->state()));
}

SimDisk SimDisk::copy() const {
  const std::scoped_lock lock(core_->mutex());
  return SimDisk(core_->state(), core_->options());
}

DiskState SimDisk::state() const {
  const std::scoped_lock lock(core_->mutex());
  return core_->state();
}

SimDiskOptions SimDisk::options() const {
  const std::scoped_lock lock(core_->mutex());
  return core_->options();
}

void SimDisk::set_space_limit(std::uint64_t bytes) {
  const std::scoped_lock lock(core_->mutex());
  core_->set_space_limit(bytes);
}

std::uint64_t SimDisk::bytes_used() const {
  const std::scoped_lock lock(core_->mutex());
  return core_->bytes_used();
}

void SimDisk::inject(const Fault& fault) {
  const std::scoped_lock lock(core_->mutex());
  core_->faults().inject(fault);
}

void SimDisk::clear_faults() {
  const std::scoped_lock lock(core_->mutex());
  core_->faults().clear();
}

std::uint64_t SimDisk::faults_fired() const {
  const std::scoped_lock lock(core_->mutex());
  return core_->faults().fired();
}

FaultSet::Calls SimDisk::calls() const {
  const std::scoped_lock lock(core_->mutex());
  return core_->faults().calls();
}

void SimDisk::observe(Observer observer) {
  const std::scoped_lock lock(core_->mutex());
  core_->observe(std::move(observer));
}

std::unique_ptr<Vfs> memory_vfs() {
  SimDiskOptions options;
  options.tracked = false;
  options.shown = ":memory:";
  return SimDisk(options).attach();
}

}  // namespace otolith::io
