#pragma once

#include <coroutine>
#include <exception>
#include <utility>

/// A generator with nothing that could be left out.
template <class T>
class Bare {
public:
    struct promise_type {
        T value{};
        Bare get_return_object() { return Bare(std::coroutine_handle<promise_type>::from_promise(*this)); }
        std::suspend_always initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        std::suspend_always yield_value(T x) noexcept {
            value = x;
            return {};
        }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };

    explicit Bare(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
    Bare(Bare&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Bare& operator=(Bare&& other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~Bare() {
        if (handle_) {
            handle_.destroy();
        }
    }
    bool next() const {
        handle_.resume();
        return !handle_.done();
    }
    T value() const { return handle_.promise().value; }

private:
    std::coroutine_handle<promise_type> handle_;
};
