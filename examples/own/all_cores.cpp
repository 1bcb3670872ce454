// One port, served by all cores: a thread and a reactor for each, all listening on the same port. With `reusePort`
// the system deals the connections out among them, so they share nothing: no lock, no queue, no connection that goes from
// thread to thread.
//
//     all_cores [--threads 4] [--count 64]
//
// The first thread's reactor makes `count` connections for each of them, one after another but some at a time, asks each
// who is there, and tells who answered.

#include "option_parser.hpp"
#include "python_text.hpp"

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/deferred_list.hpp>
#include <ropewalk/reactor/connection.hpp>
#include <ropewalk/reactor/port.hpp>
#include <ropewalk/reactor/reactor.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace defer = ropewalk::defer;

using python::print;
using python::str;
using ropewalk::Reactor;

/// A thread with a reactor that answers every line with the thread's number, until it is destroyed.
class Server {
public:
    Server(std::size_t number, int port)
        : thread_([this, number, port] { serve(number, port); }), started_(start_.get_future().get()) {}

    ~Server() {
        started_.reactor->callFromThread([reactor = started_.reactor] { reactor->stop(); });
    }

    int port() const { return started_.port; }

private:
    struct Started {
        Reactor* reactor;
        int port;
    };

    static defer::Deferred<void> answer(ropewalk::Connection client, std::size_t number) {
        auto line = co_await client.readLine();
        while (line) {
            const std::string text = str(number) + "\r\n";
            co_await client.write(text);
            line = co_await client.readLine();
        }
    }

    void serve(std::size_t number, int port) {
        Reactor reactor;
        const auto factory = ropewalk::serve(
            [number](ropewalk::Connection client) { return answer(std::move(client), number); });
        try {
            const auto listening =
                reactor.listenTCP(port, factory, {.interface = "127.0.0.1", .reusePort = true});
            const Started started{&reactor, listening->getHost().port()};
            reactor.callWhenRunning([this, started] { start_.set_value(started); });
        } catch (...) {
            start_.set_exception(std::current_exception());
            return;
        }
        reactor.run();
    }

    std::promise<Started> start_;
    std::jthread thread_;
    Started started_;
};

/// Connects so many times, each time when the last connection is done, and counts who answered.
defer::Deferred<void> ask(Reactor& reactor, int port, int times, std::vector<int>& answers) {
    for (int i = 0; i < times; ++i) {
        auto server = co_await ropewalk::connect(reactor, "127.0.0.1", port);
        co_await server.write("who is there?\r\n");
        const auto number = co_await server.readLine();
        if (number) {
            answers.at(std::stoul(*number)) += 1;
        }
        co_await server.close();
    }
}

int main(int argc, char* argv[]) try {
    python::OptionParser parser("%prog [options]\n");
    parser.addOption("--threads", "How many threads serve. Default: one a core, but at least two.", "0");
    parser.addOption("--count", "How many connections are made for each of them.", "64");
    parser.addOption("--port", "The port to listen on. Default: any free one.", "0");
    parser.parse(argc, argv);
    std::size_t threads = parser.number<std::size_t>("--threads");
    if (threads == 0) {
        threads = std::max(2U, std::thread::hardware_concurrency());
    }
    const int count = parser.number("--count");

    Reactor reactor;

    std::vector<int> answers(threads);
    {
        std::vector<std::unique_ptr<Server>> servers;
        servers.push_back(std::make_unique<Server>(0, parser.number("--port")));
        const int port = servers.front()->port();
        while (servers.size() < threads) {
            servers.push_back(std::make_unique<Server>(servers.size(), port));
        }
        print(str(threads) + " threads serve 127.0.0.1:" + str(port));

        reactor.callWhenRunning([&] {
            std::vector<defer::Deferred<void>> asking;
            for (std::size_t i = 0; i < threads; ++i) {
                asking.push_back(ask(reactor, port, count, answers));
            }
            auto all = defer::gatherResults(asking);
            all.addErrback(
                [](const ropewalk::Failure& failure) { print("failed:", failure.getErrorMessage()); });
            all.addBoth([&] { reactor.stop(); });
        });
        reactor.run();
    }

    int sum = 0;
    for (std::size_t i = 0; i < threads; ++i) {
        print("thread " + str(i) + " answered " + str(answers[i]) + " times");
        sum += answers[i];
    }
    print("together " + str(sum) + " times");
    const bool allServed = std::ranges::all_of(answers, [](int times) { return times > 0; });
    print(allServed ? "all of them served" : "not all of them served");
    return allServed ? 0 : 1;
} catch (...) {
    return python::uncaught();
}
