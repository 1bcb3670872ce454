#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace python {

/// A program's command line, read as Python's `optparse` does: `--name value` or `--name=value`, and arguments.
class OptionParser {
public:
    /// `%prog` in the text stands for the program's name.
    explicit OptionParser(std::string_view usage) : usage_(usage) {}

    void addOption(std::string_view name, std::string_view help, std::string_view byDefault = {}) {
        options_.push_back({std::string(name), std::string(help), std::string(byDefault)});
    }

    /// Ends the program, with status 2, for an option that there isn't, and with 0 for `--help`.
    void parse(int argc, char* argv[]) {
        const std::string_view path = argv[0];
        program_ = path.substr(path.rfind('/') + 1);
        const std::vector<std::string> words(argv + 1, argv + argc);
        for (std::size_t i = 0; i < words.size(); ++i) {
            const std::string& word = words[i];
            if (word == "-h" || word == "--help") {
                std::cout << formatHelp();
                std::exit(0);
            }
            if (word.size() < 2 || word.front() != '-') {
                args_.push_back(word);
                continue;
            }
            const std::size_t equals = word.find('=');
            const std::string name = word.substr(0, equals);
            const auto option = std::ranges::find(options_, name, &Option::name);
            if (option == options_.end()) {
                error("no such option: " + name);
            }
            if (equals != std::string::npos) {
                option->value = word.substr(equals + 1);
            } else if (++i < words.size()) {
                option->value = words[i];
            } else {
                error(name + " option requires 1 argument");
            }
        }
    }

    const std::vector<std::string>& args() const { return args_; }

    const std::string& text(std::string_view name) const {
        return std::ranges::find(options_, name, &Option::name)->value;
    }

    /// The option as a number; ends the program if it is none.
    template <class Number = int>
    Number number(std::string_view name) const {
        const std::string& value = text(name);
        Number result{};
        const auto [end, trouble] = std::from_chars(value.data(), value.data() + value.size(), result);
        if (trouble != std::errc() || end != value.data() + value.size()) {
            error("option " + std::string(name) + ": invalid value: '" + value + "'");
        }
        return result;
    }

    std::string formatHelp() const {
        std::vector<std::pair<std::string, std::string>> rows{
            {"-h, --help", "show this help message and exit"}};
        for (const Option& option : options_) {
            std::string value = option.name.substr(2);
            std::ranges::transform(value, value.begin(), [](char c) {
                return c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
            });
            rows.emplace_back(option.name + "=" + value, option.help);
        }
        std::size_t width = 0;
        for (const auto& [option, help] : rows) {
            width = std::max(width, option.size());
        }
        std::string result = formatUsage() + "\nOptions:\n";
        for (const auto& [option, help] : rows) {
            result.append("  ")
                .append(option)
                .append(width - option.size() + 2, ' ')
                .append(help)
                .append("\n");
        }
        return result;
    }

    /// Says what is wrong with the command line and ends the program, with status 2.
    [[noreturn]] void error(std::string_view message) const {
        std::cerr << formatUsage() << '\n' << program_ << ": error: " << message << '\n';
        std::exit(2);
    }

private:
    struct Option {
        std::string name;
        std::string help;
        std::string value;
    };

    std::string formatUsage() const {
        std::string text = "Usage: " + usage_ + "\n";
        for (std::size_t at = 0; (at = text.find("%prog", at)) != std::string::npos;) {
            text.replace(at, 5, program_);
        }
        return text;
    }

    std::string usage_;
    std::string program_;
    std::vector<Option> options_;
    std::vector<std::string> args_;
};

/// A host and its port, from `host:port`, or of this machine from `port` alone. Ends the program if that is neither.
inline std::pair<std::string, int> parseAddress(const OptionParser& parser, const std::string& address) {
    const std::size_t colon = address.find(':');
    const bool hasHost = colon != std::string::npos;
    const std::string host = hasHost ? address.substr(0, colon) : "127.0.0.1";
    const std::string port = hasHost ? address.substr(colon + 1) : address;
    int number = 0;
    const auto [end, trouble] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (trouble != std::errc() || end != port.data() + port.size() || number < 0) {
        parser.error("Ports must be integers.");
    }
    return {host, number};
}

} // namespace python
