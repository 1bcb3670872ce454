#include <ropewalk/reactor/driver.hpp>

#include <ropewalk/defer/errors.hpp>

namespace ropewalk {

std::unique_ptr<Watch> Driver::watchSignal(int, SignalListener&, Takeover) {
    throw UnsupportedError("this reactor's driver has no signals");
}

void Driver::random(void*, std::size_t) {
    throw UnsupportedError("this reactor's driver has no random numbers");
}

} // namespace ropewalk
