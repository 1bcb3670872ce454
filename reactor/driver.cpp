#include <ropewalk/reactor/driver.hpp>

#include <ropewalk/defer/errors.hpp>

namespace ropewalk {

std::unique_ptr<Watch> Driver::watchSignal(int, SignalListener&, Takeover) {
    throw UnsupportedError("this reactor's driver has no signals");
}

std::unique_ptr<ListeningSocket> Driver::listen(const Address&, int, bool, AcceptListener&) {
    throw UnsupportedError("this reactor's driver can't listen");
}

std::unique_ptr<ListeningSocket> Driver::adoptListener(int, int, AcceptListener&) {
    throw UnsupportedError("this reactor's driver can't adopt a listening socket");
}

StreamHandle Driver::connect(const Address&, const Address&, StreamListener&) {
    throw UnsupportedError("this reactor's driver can't connect");
}

StreamHandle Driver::adoptStream(int, int, Address&) {
    throw UnsupportedError("this reactor's driver can't adopt a connection");
}

std::unique_ptr<Watch> Driver::resolve(std::string_view, LookupListener&) {
    throw UnsupportedError("this reactor's driver can't look up names");
}

std::unique_ptr<Worker> Driver::startWorker(const char*, std::unique_ptr<Work>) {
    throw UnsupportedError("this reactor's driver has no threads");
}

void Driver::random(void*, std::size_t) {
    throw UnsupportedError("this reactor's driver has no random numbers");
}

} // namespace ropewalk
