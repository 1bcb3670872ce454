// Plays a case of network_cases.txt: starts servers, runs programs, connects, and compares all that is printed and sent
// with what is expected. Exits with 0 if it is the same.

#include "child.hpp"
#include "compare.hpp"
#include "connection.hpp"
#include "expectation.hpp"
#include "normalise.hpp"
#include "scene.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;

constexpr std::string_view usage =
    "usage: golden_scene FOLDER CASE PROGRAMS LIMIT\n"
    "\n"
    "FOLDER holds network_cases.txt, recordings/, expected/ and exceptions.txt, PROGRAMS the programs; LIMIT is in seconds.\n";

class Player {
public:
    Player(fs::path folder, std::string caseName, fs::path programs, std::chrono::seconds limit)
        : folder_(std::move(folder)),
          caseName_(std::move(caseName)),
          programs_(std::move(programs)),
          deadline_(std::chrono::steady_clock::now() + limit) {
        std::ifstream cases(folder_ / "network_cases.txt");
        scene_ = golden::sceneOf(std::string(std::istreambuf_iterator<char>(cases), {}), caseName_);
    }

    bool play() {
        for (const golden::Step& step : scene_.steps) {
            perform(step);
        }
        for (const auto& [name, server] : std::views::reverse(servers_)) {
            server->signal(SIGTERM);
            finish(name == "main" ? name : "server-" + name, *server);
        }
        return same_;
    }

private:
    void perform(const golden::Step& step) {
        const std::string& name = step.words[0];
        const std::string rest = golden::unescaped(step.text);
        if (step.what == "start") {
            start(name, command(step.words, 1));
        } else if (step.what == "off") {
            unused_.push_back(golden::closedPort(ports_[name]));
        } else if (step.what == "run") {
            golden::Child child(command(step.words, 1), {});
            finish(name, child);
        } else if (step.what == "interrupt") {
            golden::Child child(command(step.words, 2), {});
            const auto moment = std::chrono::steady_clock::now() + seconds(step.words[1]);
            child.readUntil([] { return false; }, moment);
            child.signal(SIGINT);
            finish(name, child);
        } else if (step.what == "probe") {
            auto& connection = connect(name, step.words[1]);
            connection.send(rest.substr(std::min(rest.size(), step.words[1].size() + 1)));
            compare(name + ".out", connection.readAll(deadline_));
        } else if (step.what == "connect") {
            connect(name, step.words[1]);
        } else if (step.what == "send") {
            connections_.at(name).send(rest);
        } else if (step.what == "expect") {
            connections_.at(name).expect(rest, deadline_);
        } else if (step.what == "read") {
            compare(name + ".out", connections_.at(name).readAll(deadline_));
        } else if (step.what == "end") {
            connections_.at(name).endWriting();
        } else if (step.what == "close") {
            connections_.erase(name);
        } else {
            golden::wait(seconds(name));
        }
    }

    static std::chrono::milliseconds seconds(const std::string& text) {
        return std::chrono::milliseconds(static_cast<int>(std::stod(text) * 1000));
    }

    /// The words from that one on, the first of them a program, with ports in place of `{NAME}`.
    std::vector<std::string> command(const std::vector<std::string>& words, std::size_t from) const {
        std::vector<std::string> result(words.begin() + static_cast<std::ptrdiff_t>(from), words.end());
        result.front() = (programs_ / result.front()).string();
        for (std::string& word : result) {
            if (word.starts_with('{')) {
                word = std::to_string(ports_.at(word.substr(1, word.size() - 2)));
            }
        }
        return result;
    }

    void start(const std::string& name, const std::vector<std::string>& words) {
        auto server = std::make_unique<golden::Child>(words, fs::path());
        int port = 0;
        server->readUntil([&] { return (port = golden::announcedPort(server->out())) != 0; }, deadline_);
        if (port == 0) {
            throw std::runtime_error(name + " does not serve; it printed: " + server->out() + server->err());
        }
        if (!server->handles(SIGTERM, deadline_)) {
            throw std::runtime_error(name + " doesn't handle SIGTERM");
        }
        ports_[name] = port;
        servers_.emplace_back(name, std::move(server));
    }

    golden::Connection& connect(const std::string& name, const std::string& server) {
        return connections_.insert_or_assign(name, golden::Connection(ports_.at(server))).first->second;
    }

    void finish(const std::string& name, golden::Child& child) {
        const bool ended = child.finish(deadline_);
        child.kill();
        const std::string prefix = name == "main" ? "" : name + ".";
        if (name == "main" || golden::isExpected(folder_, caseName_, prefix + "out")) {
            compare(prefix + "out", child.out());
        }
        compare(prefix + "err", child.err());
        const int status = name == "main" ? scene_.status : 0;
        if (!ended) {
            fail(name + " still ran when the time was over");
        } else if (child.status() != status) {
            fail(name + ": exit status " + std::to_string(child.status()) + ", expected " +
                 std::to_string(status));
        }
    }

    void compare(const std::string& stream, const std::string& printed) {
        std::map<int, std::string> recorded; // the ports of the recordings are the names of the servers
        std::map<int, std::string> ours;
        for (const auto& [name, port] : ports_) {
            if (name != "main") {
                recorded[std::atoi(name.c_str())] = name;
                ours[port] = name;
            }
        }
        const auto expected = golden::expectationFor(folder_, caseName_, stream, recorded);
        const auto actual = golden::normalise(golden::namePorts(printed, ours));
        const std::string text = golden::difference(expected.lines, actual, scene_.order, expected.own);
        if (!text.empty()) {
            fail(stream + " differs (- expected, + came, both normalised):\n" + text + "as it came:\n" +
                 printed);
        }
    }

    void fail(const std::string& why) {
        same_ = false;
        std::cout << caseName_ << ": " << why << "\n";
    }

    fs::path folder_;
    std::string caseName_;
    fs::path programs_;
    golden::Deadline deadline_;
    golden::Scene scene_;
    std::map<std::string, int> ports_;
    std::vector<golden::Descriptor> unused_;
    std::map<std::string, golden::Connection> connections_;
    std::vector<std::pair<std::string, std::unique_ptr<golden::Child>>> servers_;
    bool same_ = true;
};

} // namespace

int main(int argc, char* argv[]) {
    if (argc != 5) {
        std::cerr << usage;
        return 2;
    }
    try {
        Player player(argv[1], argv[2], argv[3], std::chrono::seconds(std::atoi(argv[4])));
        return player.play() ? EXIT_SUCCESS : EXIT_FAILURE;
    } catch (const std::exception& error) {
        std::cout << "golden_scene: " << argv[2] << ": " << error.what() << "\n";
        return EXIT_FAILURE;
    }
}
