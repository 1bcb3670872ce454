#include <ropewalk/flow/instruction.hpp>

#include <ropewalk/defer/names.hpp>
#include <ropewalk/flow/errors.hpp>
#include <ropewalk/reactor/reactor_time.hpp>

namespace ropewalk::flow {

void detail::Sleeper::dispose() noexcept {
    delete this;
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): those that override it move it away
void Instruction::callLater(ReactorTime&, Wake) {
    throw Unsupported(str(), "flow");
}

std::string Instruction::str() const {
    return typeName(typeid(*this));
}

void Cooperate::callLater(ReactorTime& clock, Wake wake) {
    if (isPending()) {
        others_.push_back(std::move(wake));
        return;
    }
    call_ = clock.callLater(timeout, [this, first = std::move(wake)] {
        const std::vector<Wake> others = std::exchange(others_, {});
        first(); // this may be gone then
        for (const Wake& other : others) {
            other();
        }
    });
}

void Cooperate::cancel() {
    if (others_.empty()) {
        call_.cancel();
    }
}

std::string Cooperate::str() const {
    return "Cooperate(" + std::to_string(timeout.count()) + " s)";
}

} // namespace ropewalk::flow
