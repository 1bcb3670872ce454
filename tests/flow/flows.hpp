#pragma once

#include <string>
#include <utility>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/logged_errors.hpp>
#include <ropewalk/flow/block.hpp>
#include <ropewalk/flow/generator.hpp>
#include <ropewalk/flow/wrap.hpp>

/// What the tests of flows have in common.
namespace flows {

namespace flow = ropewalk::flow;

inline void awake(ropewalk::Seconds) {}

/// All results of a flow, which a Block that doesn't sleep takes.
template <class X>
auto all(X&& x) {
    flow::Block block(std::forward<X>(x), flow::Sleep(awake));
    std::vector<typename decltype(block)::Item> results;
    for (auto& result : block) {
        results.push_back(std::move(result));
    }
    return results;
}

inline flow::Generator<int> counter(int count) {
    while (count > 0) {
        co_yield count;
        --count;
    }
}

/// 1, a pause, 2.
inline flow::Generator<int> pausing(ropewalk::Seconds time = ropewalk::Seconds(1)) {
    co_yield 1;
    co_yield flow::Cooperate(time);
    co_yield 2;
}

/// 'x', as a number, and then an error.
template <class Error>
flow::Generator<int> failing(Error error) {
    co_yield 1;
    throw error;
}

/// Takes all of a stage that it refers to.
inline flow::Generator<int> taking(flow::Stage<int>& stage) {
    while (auto result = co_await stage) {
        co_yield *result;
    }
}

/// The texts of what was abandoned meanwhile.
inline std::vector<std::string> abandoned() {
    std::vector<std::string> texts;
    for (const ropewalk::Failure& failure : ropewalk::defer::flushLoggedErrors<ropewalk::AbandonedError>()) {
        texts.push_back(failure.getErrorMessage());
    }
    return texts;
}

} // namespace flows
