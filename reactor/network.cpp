#include <ropewalk/reactor/network.hpp>

#include <exception>

#include <ropewalk/reactor/connection_errors.hpp>

namespace ropewalk::detail {

void Network::settle() noexcept {
    Link batch;
    batch.alone();
    batch.insertAll(unsettled);
    while (!batch.isAlone()) {
        auto& connection = static_cast<Unsettled&>(*batch.next);
        connection.markSettled();
        connection.settle();
    }
}

void Network::shutDown() noexcept {
    Link batch;
    batch.alone();
    batch.insertAll(all);
    while (!batch.isAlone()) {
        auto& open = static_cast<Kept&>(*batch.next);
        open.unlink();
        all.insert(open);
        if (open.self_ != nullptr) {
            open.shutDown();
        }
    }
}

void Network::orphan() noexcept {
    while (!all.isAlone()) {
        auto& open = static_cast<Kept&>(*all.next);
        open.unlink();
        open.alone();
        const std::shared_ptr<void> self = open.letGo();
        open.orphan();
        open.network_ = nullptr;
    }
}

Failure Network::connectionDone(std::source_location where) {
    if (!done_ || where.line() != doneWhere_.line() || where.file_name() != doneWhere_.file_name()) {
        done_.emplace(std::make_exception_ptr(ConnectionDone()), where);
        doneWhere_ = where;
    }
    return *done_;
}

} // namespace ropewalk::detail
