#include "test/scarcity/failing_memory.h"

#include <dlfcn.h>
#include <zstd.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace otolith::test {

namespace {

std::atomic<std::int64_t> allocations_left{-1};  // until one fails; -1: none does
std::atomic<std::size_t> bytes_max{SIZE_MAX};
std::atomic<bool> contexts_fail{false};
thread_local bool spared = false;

bool fails(std::size_t bytes) noexcept {
  if (bytes >= bytes_max.load(std::memory_order_relaxed)) return true;
  if (spared || allocations_left.load(std::memory_order_relaxed) < 0) return false;
  return allocations_left.fetch_sub(1) == 0;
}

// What the library itself would answer.
template <typename Create>
auto context(const char* name) noexcept -> decltype(Create()()) {
  static const auto create = reinterpret_cast<Create>(dlsym(RTLD_NEXT, name));
  return contexts_fail.load() ? nullptr : create();
}

}  // namespace

void* allocate(std::size_t bytes, std::size_t alignment) {
  void* const out =
      fails(bytes) ? nullptr
                   : std::aligned_alloc(alignment, (bytes + alignment) / alignment * alignment);
  if (out == nullptr) throw std::bad_alloc();
  return out;
}

FailingAllocation::FailingAllocation(std::uint64_t number, bool of_any_thread) noexcept {
  spared = !of_any_thread;
  allocations_left = static_cast<std::int64_t>(number) - 1;
}
FailingAllocation::~FailingAllocation() {
  allocations_left = -1;
  spared = false;
}
bool FailingAllocation::failed() const noexcept { return allocations_left.load() < 0; }

SmallMemory::SmallMemory(std::size_t bytes) noexcept { bytes_max = bytes; }
SmallMemory::~SmallMemory() { bytes_max = SIZE_MAX; }

NoContexts::NoContexts() noexcept { contexts_fail = true; }
NoContexts::~NoContexts() { contexts_fail = false; }

}  // namespace otolith::test

void* operator new(std::size_t bytes) {
  return otolith::test::allocate(bytes, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return otolith::test::allocate(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

extern "C" {

ZSTD_CCtx* ZSTD_createCCtx() { return otolith::test::context<ZSTD_CCtx* (*)()>("ZSTD_createCCtx"); }
ZSTD_DCtx* ZSTD_createDCtx() { return otolith::test::context<ZSTD_DCtx* (*)()>("ZSTD_createDCtx"); }
}
