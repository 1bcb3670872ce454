// Draws how a chain of callbacks and errbacks fires. After twisted-deferred/deferred-simulator.py.

#include "python_text.hpp"

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/errors.hpp>

#include <algorithm>
#include <cassert>
#include <cctype>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace defer = ropewalk::defer;

using python::print;
using ropewalk::Failure;
using Result = ropewalk::Result<std::string>;

constexpr std::string_view usage = R"(Usage: deferred_simulator
A Deferred simulator. Use this to see how a particular
set of callbacks and errbacks will fire in a deferred.

Options:
  -h, --help  show this help message and exit
  --narrow    draw all three chains in one column
)";

class BadInput : public ropewalk::Exception {
public:
    using Exception::Exception;
};

struct Options {
    bool narrow = false;
};

Options parseArgs(int argc, char* argv[]) {
    Options options;
    for (const std::string_view arg : std::vector<std::string_view>(argv + 1, argv + argc)) {
        if (arg == "--narrow") {
            options.narrow = true;
        } else if (arg == "-h" || arg == "--help") {
            std::cout << usage;
            std::exit(0);
        } else {
            std::cerr << "deferred_simulator: error: "
                      << (arg.starts_with('-') ? "no such option: " + std::string(arg)
                                               : "No arguments supported.")
                      << '\n';
            std::exit(2);
        }
    }
    return options;
}

std::string center(std::string_view text, int width) {
    const int room = std::max(0, width - static_cast<int>(text.size()));
    const int left = room / 2 + (room & width & 1);
    return std::string(static_cast<std::size_t>(left), ' ') + std::string(text) +
           std::string(static_cast<std::size_t>(room - left), ' ');
}

/// A screen of characters.
class Screen {
public:
    void drawChar(int x, int y, char c) { pixels_[{x, y}] = c; }

    void drawHorizLine(int x, int y, int width) {
        for (int i = 0; i < width; ++i) {
            drawChar(x + i, y, '-');
        }
    }

    void drawVertLine(int x, int y, int height, bool endArrow = false) {
        for (int i = 0; i < height; ++i) {
            drawChar(x, y + i, '|');
        }
        if (endArrow) {
            drawChar(x - 1, y + height - 1, '\\');
            drawChar(x + 1, y + height - 1, '/');
        }
    }

    void drawText(int x, int y, std::string_view text) {
        for (const char c : text) {
            drawChar(x++, y, c);
        }
    }

    void clear() { pixels_.clear(); }

    std::string str() const {
        int width = 0;
        int height = 0;
        for (const auto& [place, c] : pixels_) {
            width = std::max(width, place.first + 1);
            height = std::max(height, place.second + 1);
        }
        std::string s;
        for (int y = 0; y < height; ++y) {
            for (int x = 0; x < width; ++x) {
                const auto pixel = pixels_.find({x, y});
                s += pixel == pixels_.end() ? ' ' : pixel->second;
            }
            s += '\n';
        }
        return s;
    }

private:
    std::map<std::pair<int, int>, char> pixels_; // (x, y) -> char
};

/// Draws one callback or errback, and behaves as it: it returns a value, it fails, or it passes on what it got.
class Callback {
public:
    static constexpr int height = 5;

    int minWidth =
        static_cast<int>(std::string_view("0123456*").size() + std::string_view("return ").size()) + 3;

    explicit Callback(std::string style, std::string value = {})
        : style_(std::move(style)), value_(std::move(value)) {}

    Result operator()(const Result& res) const {
        if (style_ == "return") {
            return value_;
        }
        if (style_ == "fail") {
            return std::unexpected(Failure(ropewalk::Exception(value_)));
        }
        return res;
    }

    std::string caption() const { return style_ == "passthru" ? style_ : style_ + ' ' + value_; }

    static std::string formatValue(const Result& res) {
        return res ? *res : res.error().getErrorMessage() + '*';
    }

    void drawPassive(Screen& screen, int x, int y, int width) const {
        drawBox(screen, x, y, width);
        drawText(screen, x, y + 2, width, caption());
    }

    void drawActive(Screen& screen, int x, int y, int width, const Result& res) const {
        drawBox(screen, x, y, width);
        drawText(screen, x, y + 1, width, formatValue(res));
        drawText(screen, x, y + 3, width, formatValue((*this)(res)));
    }

private:
    static void drawBox(Screen& screen, int x, int y, int width) {
        screen.drawHorizLine(x, y, width);
        screen.drawHorizLine(x, y + 4, width);
        screen.drawVertLine(x, y + 1, 3);
        screen.drawVertLine(x + width - 1, y + 1, 3);
    }

    static void drawText(Screen& screen, int x, int y, int width, std::string_view text) {
        screen.drawText(x + 1, y, center(text, width - 2));
    }

    std::string style_;
    std::string value_;
};

using Pair = std::pair<Callback, Callback>;

/// Draws the chain of a Deferred: pairs of a callback and an errback, of which there is at least one.
class Deferred {
public:
    std::vector<Pair> pairs;
    int callbackWidth = 0;
    int width = 0;
    int height = 0;

    explicit Deferred(std::vector<Pair> thePairs) : pairs(std::move(thePairs)) {
        assert(!pairs.empty());
        for (const auto& [callback, errback] : pairs) {
            callbackWidth = std::max({callbackWidth, callback.minWidth, errback.minWidth});
        }
        width = callbackWidth * 2 + 2;
        height = Callback::height * static_cast<int>(pairs.size());
        height += 3 * static_cast<int>(pairs.size() - 1);
    }

    void draw(Screen& screen, int x, int y) const {
        for (const auto& [callback, errback] : pairs) {
            callback.drawPassive(screen, x, y, callbackWidth);
            errback.drawPassive(screen, x + callbackWidth + 2, y, callbackWidth);
            y += Callback::height + 3;
        }
    }
};

/// Draws what happens when the Deferred of such a drawing (not a real one) is fired by one of its two methods,
/// `callback` or `errback`.
class FiredDeferred {
public:
    static constexpr int callbackYOffset = 4;

    int height;
    int width;

    FiredDeferred(const Deferred& deferred, std::string method)
        : height(deferred.height + 8),
          width(deferred.width),
          deferred_(deferred),
          method_(std::move(method)) {}

    void draw(Screen& screen, int x, int y, const std::string& result = "initial") const {
        const auto d = makeDrawingDeferred(screen, x, y);

        if (method_ == "callback") {
            d.callback(result);
        } else {
            d.errback(ropewalk::Exception(result));
        }
    }

private:
    /// A real Deferred that, when it is fired, draws on the screen how it fires.
    defer::Deferred<std::string> makeDrawingDeferred(Screen& screen, int x, int y) const {
        const int callbackWidth = deferred_.callbackWidth;

        const int callbackMidX = x - 1 + callbackWidth / 2;

        const int errbackLeftX = x + callbackWidth + 2;
        const int errbackMidX = errbackLeftX - 1 + callbackWidth / 2;

        struct DrawState {
            int lastX = 0;
            int lastY = 0;
        };

        const auto state = std::make_shared<DrawState>();

        const auto drawConnection = [=, &screen](int toX) {
            if (state->lastX == toX) {
                screen.drawVertLine(toX - 1 + callbackWidth / 2, state->lastY - 3, 3, true);
                return;
            }

            if (state->lastX < toX) {
                screen.drawVertLine(callbackMidX, state->lastY - 3, 2);
                screen.drawVertLine(errbackMidX, state->lastY - 2, 2, true);
            } else {
                screen.drawVertLine(errbackMidX, state->lastY - 3, 2);
                screen.drawVertLine(callbackMidX, state->lastY - 2, 2, true);
            }

            screen.drawHorizLine(callbackMidX + 1, state->lastY - 2, errbackMidX - callbackMidX - 1);
        };

        const auto wrapCallback = [=, &screen](const Callback& cb, int atX) {
            return [=, &screen](Result res) {
                cb.drawActive(screen, atX, state->lastY, callbackWidth, res);
                drawConnection(atX);
                state->lastX = atX;
                state->lastY += Callback::height + 3;
                return cb(res);
            };
        };

        const auto drawValue = [=, &screen](const Result& res, int atY) {
            if (!res) {
                screen.drawText(errbackLeftX - 10, atY,
                                center(Callback::formatValue(res), callbackWidth + 20));
            } else {
                screen.drawText(x, atY, center(*res, callbackWidth));
            }
        };

        const auto drawStart = [=](Result res) {
            drawValue(res, y);
            state->lastX = res ? x : errbackLeftX;
            state->lastY = y + 4;
            return res;
        };

        const auto drawEnd = [=](const Result& res) {
            drawValue(res, state->lastY);
            drawConnection(res ? x : errbackLeftX);
        };

        defer::Deferred<std::string> d;

        d.addBoth(drawStart);

        for (const auto& [pairCallback, pairErrback] : deferred_.pairs) {
            const auto callback = wrapCallback(pairCallback, x);
            const auto errback = wrapCallback(pairErrback, errbackLeftX);
            d.addCallbacks(callback,
                           [errback](const Failure& failure) { return errback(std::unexpected(failure)); });
        }

        d.addBoth(drawEnd);

        return d;
    }

    const Deferred& deferred_;
    std::string method_;
};

std::vector<std::string> split(const std::string& line) {
    std::istringstream words(line);
    return {std::istream_iterator<std::string>(words), {}};
}

/// The next pair that the user types; nothing after a blank line.
std::optional<Pair> getNextPair() {
    std::deque<std::string> parts;

    const auto take = [&](const char* what) {
        if (parts.empty()) {
            throw BadInput(std::string("missing ") + what);
        }
        std::string part = std::move(parts.front());
        parts.pop_front();
        return part;
    };

    const auto getCb = [&] {
        std::string cmd = take("command");
        std::ranges::transform(cmd, cmd.begin(),
                               [](unsigned char c) { return static_cast<char>(std::tolower(c)); });

        const std::vector<std::string> commands{"return", "fail", "passthru"};
        const auto command =
            std::ranges::find_if(commands, [&](const auto& name) { return name.starts_with(cmd); });
        if (command == commands.end()) {
            throw BadInput("bad command: " + cmd);
        }

        if (*command == "return" || *command == "fail") {
            const std::string result = take("argument");

            if (result.size() > 6) {
                throw BadInput(python::str(std::tuple("result more than 6 chars long", result)));
            }

            return Callback(*command, result);
        }
        return Callback(*command);
    };

    std::string line;
    if (!std::getline(std::cin, line)) {
        std::exit(0);
    }

    if (line.empty()) {
        return std::nullopt;
    }

    std::ranges::move(split(line), std::back_inserter(parts));

    auto callback = getCb();
    auto errback = getCb();

    if (!parts.empty()) {
        throw BadInput("extra arguments");
    }

    return Pair(std::move(callback), std::move(errback));
}

/// All the pairs that the user types.
std::vector<Pair> getPairs() {
    print(R"(Enter a list of callback/errback pairs in the form:

  CALLBACK ERRBACK

Where CALLBACK and ERRBACK are one of:

  return VALUE
  fail VALUE
  passthru

And where VALUE is a string of only letters and numbers (no spaces),
no more than 6 characters long.

Each pair should be on a single line and you can abbreviate
return/fail/passthru as r/f/p.

Examples:

  r good f bad  # callback returns 'good'
                # and errback raises Exception('bad')

  f googly p    # callback raises Exception('googly')
                # and errback passes its failure along

Enter a blank line when you are done, and a diagram of the deferred
will be printed next to the firing patterns for both the callback()
and errback() methods. In the diagram, a value followed by '*' is
really an Exception wrapped in a Failure, i.e:

  value* == Failure(Exception(value))

You will want to make your terminal as wide as possible.
)");

    std::vector<Pair> pairs;

    while (true) {
        try {
            auto pair = getNextPair();

            if (!pair) {
                if (pairs.empty()) {
                    print("You must enter at least one pair.");
                    continue;
                }
                break;
            }

            pairs.push_back(std::move(*pair));
        } catch (const BadInput& e) {
            print("ERROR:", e);
        }
    }

    return pairs;
}

void drawSingleColumn(const Deferred& d, const FiredDeferred& callback, const FiredDeferred& errback) {
    Screen screen;

    screen.drawText(0, 1, center("Deferred", d.width));
    screen.drawText(0, 2, center("--------", d.width));

    d.draw(screen, 0, 4);

    print(screen.str());

    screen.clear();

    screen.drawText(0, 2, center("d.callback(initial)", d.width));
    screen.drawText(0, 3, center("-------------------", d.width));

    callback.draw(screen, 0, 5);

    print(screen.str());

    screen.clear();

    screen.drawText(0, 2, center("d.errback(initial*)", d.width));
    screen.drawText(0, 3, center("-------------------", d.width));

    errback.draw(screen, 0, 5);

    print(screen.str());
}

void drawMultiColumn(const Deferred& d, const FiredDeferred& callback, const FiredDeferred& errback) {
    Screen screen;

    screen.drawText(0, 0, center("Deferred", d.width));
    screen.drawText(0, 1, center("--------", d.width));

    screen.drawText(d.width + 6, 0, center("d.callback(initial)", d.width));
    screen.drawText(d.width + 6, 1, center("-------------------", d.width));

    screen.drawText(2 * (d.width + 6), 0, center("d.errback(initial*)", d.width));
    screen.drawText(2 * (d.width + 6), 1, center("-------------------", d.width));

    d.draw(screen, 0, FiredDeferred::callbackYOffset + 3);
    callback.draw(screen, d.width + 6, 3);
    errback.draw(screen, 2 * (d.width + 6), 3);

    screen.drawVertLine(d.width + 3, 3, callback.height);
    screen.drawVertLine(d.width + 3 + d.width + 6, 3, callback.height);

    print(screen.str());
}

int main(int argc, char* argv[]) {
    const auto options = parseArgs(argc, argv);

    const Deferred d(getPairs());
    const FiredDeferred callback(d, "callback");
    const FiredDeferred errback(d, "errback");

    if (options.narrow) {
        drawSingleColumn(d, callback, errback);
    } else {
        drawMultiColumn(d, callback, errback);
    }
}
