// test: a LoopingCall refuses a function that takes other arguments
// expect: a LoopingCall can't call this function
#include <ropewalk/task/looping_call.hpp>

int main() {
    ropewalk::task::LoopingCall loop([](int) {});
}
