#include <ropewalk/reactor/signal_disposition.hpp>

#include <csignal>
#include <mutex>

namespace ropewalk::detail {

namespace {

struct Kept {
    int users = 0;
    struct sigaction before = {};
};

std::mutex mutex;
Kept kept[65]; // NSIG is 65 on Linux

bool valid(int number) noexcept {
    return number > 0 && number < 65;
}

} // namespace

SignalDisposition::SignalDisposition(int number) : number_(number) {
    const std::lock_guard lock(mutex);
    if (valid(number) && kept[number].users++ == 0) {
        sigaction(number, nullptr, &kept[number].before);
    }
}

SignalDisposition::~SignalDisposition() {
    const std::lock_guard lock(mutex);
    if (valid(number_) && --kept[number_].users == 0) {
        sigaction(number_, &kept[number_].before, nullptr);
    }
}

bool SignalDisposition::isDefault(int number) {
    const std::lock_guard lock(mutex);
    if (valid(number) && kept[number].users > 0) {
        return (kept[number].before.sa_flags & SA_SIGINFO) == 0 && kept[number].before.sa_handler == SIG_DFL;
    }
    struct sigaction current = {};
    return sigaction(number, nullptr, &current) == 0 && (current.sa_flags & SA_SIGINFO) == 0 &&
           current.sa_handler == SIG_DFL;
}

} // namespace ropewalk::detail
