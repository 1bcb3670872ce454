// Timed calls: a function that asks to be called again in a second. After basic-twisted/countdown.py.

#include "python_text.hpp"

#include <ropewalk/reactor/reactor.hpp>

#include <chrono>

using namespace std::chrono_literals;
using python::print;

auto& reactor = ropewalk::reactor();

class Countdown {
public:
    int counter = 5;

    void count() {
        if (counter == 0) {
            reactor.stop();
        } else {
            print(counter, "...");
            counter -= 1;
            reactor.callLater(1s, &Countdown::count, this);
        }
    }
};

int main() {
    Countdown countdown;
    reactor.callWhenRunning(&Countdown::count, &countdown);

    print("Start!");
    reactor.run();
    print("Stop!");
}
