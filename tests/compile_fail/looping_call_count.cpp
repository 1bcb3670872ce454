// test: LoopingCall::withCount refuses a function that takes no count
// expect: has to take an int
#include <ropewalk/task/looping_call.hpp>

int main() {
    auto loop = ropewalk::task::LoopingCall::withCount([] {});
}
