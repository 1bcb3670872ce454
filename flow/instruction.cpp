#include <ropewalk/flow/instruction.hpp>

#include <ropewalk/defer/names.hpp>
#include <ropewalk/flow/errors.hpp>
#include <ropewalk/reactor/reactor_time.hpp>

namespace ropewalk::flow {

void detail::Sleeper::dispose() noexcept {
    delete this;
}

void Instruction::callLater(ReactorTime&, Wake) {
    throw Unsupported(str(), "flow");
}

std::string Instruction::str() const {
    return typeName(typeid(*this));
}

void Cooperate::callLater(ReactorTime& clock, Wake wake) {
    call_ = clock.callLater(timeout, std::move(wake));
}

std::string Cooperate::str() const {
    return "Cooperate(" + std::to_string(timeout.count()) + " s)";
}

} // namespace ropewalk::flow
