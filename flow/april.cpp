#include <ropewalk/flow/april.hpp>

#include <utility>

namespace ropewalk::flow2003::april {

void Flow::execute(flow::Sleep sleep) {
    flow::detail::Blocking blocking(std::move(sleep));
    for (;;) {
        blocking.advance(top_);
        if (top_.stop && !top_.result.has_value()) {
            return;
        }
        top_.isFailure(); // it is one of the results
        results.push_back(std::exchange(top_.result, {}));
        top_.ask();
    }
}

} // namespace ropewalk::flow2003::april
