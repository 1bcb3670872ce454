#include <ropewalk/reactor/uv_driver.hpp>

#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include <pthread.h>

#include <ropewalk/defer/errors.hpp>

namespace ropewalk {

namespace {

class SystemWorker final : public Worker {
public:
    ~SystemWorker() override {
        if (thread_.joinable()) {
            thread_.detach();
        }
    }

    void start(const char* name, std::unique_ptr<Work> work) {
        constexpr std::size_t longestName = 15;
        thread_ = std::thread(
            [work = std::move(work), name = std::string(name).substr(0, longestName)]() mutable noexcept {
                if (!name.empty()) {
                    pthread_setname_np(pthread_self(), name.c_str());
                }
                work->run();
                work.reset();
            });
    }
    void join() noexcept override {
        if (thread_.joinable()) {
            thread_.join();
        }
    }

private:
    std::thread thread_;
};

} // namespace

std::unique_ptr<Worker> UvDriver::startWorker(const char* name, std::unique_ptr<Work> work) {
    auto worker = std::make_unique<SystemWorker>();
    try {
        worker->start(name, std::move(work));
    } catch (const std::system_error& error) {
        throw IOError(error.code(), "can't start a thread");
    }
    return worker;
}

} // namespace ropewalk
