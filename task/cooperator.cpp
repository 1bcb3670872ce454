#include <ropewalk/task/cooperator.hpp>

namespace ropewalk::task {

namespace {

detail::CooperatorCore::Scheduler
cancellable(std::move_only_function<ScheduledTick(std::move_only_function<void()>)> scheduler) {
    if (!scheduler) {
        return nullptr;
    }
    return [scheduler = std::move(scheduler)](std::move_only_function<void()> tick) mutable {
        return scheduler(std::move(tick)).cancel;
    };
}

/// What a reactor has of this floor.
struct OfReactor {
    explicit OfReactor(Reactor& reactor) : cooperator(reactor) {}
    Cooperator cooperator;
};

} // namespace

Cooperator::Cooperator(ReactorTime& clock, CooperatorOptions options)
    : core_(detail::Ref<detail::CooperatorCore>::adopt(
          *new detail::CooperatorCore(clock, std::move(options.terminationPredicateFactory),
                                      cancellable(std::move(options.scheduler)), options.started))) {}

Cooperator::~Cooperator() {
    core_->close();
}

void Cooperator::start() {
    core_->start();
}

void Cooperator::stop() {
    core_->stop();
}

Cooperator& cooperatorOf(Reactor& reactor) {
    return reactor.attached<OfReactor>().cooperator;
}

} // namespace ropewalk::task
