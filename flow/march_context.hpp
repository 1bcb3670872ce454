#pragma once

#include <any>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ropewalk/flow/any_item.hpp>

namespace ropewalk::flow2003 {

namespace detail {

class MarchStage;
class Notice;

/// The stages of a flow, which any number of executions share.
using Stages = std::vector<std::unique_ptr<MarchStage>>;

/// A place in a flow, which may be its end.
struct Link {
    const Stages* stages = nullptr;
    std::size_t at = 0;

    MarchStage* stage() const noexcept { return at < stages->size() ? (*stages)[at].get() : nullptr; }
};

/// What is due when a context ends: a value for a stage, or somebody to be told.
struct Flush {
    Link to;
    std::string bucket;
    Notice* notice = nullptr;
};

} // namespace detail

namespace march {

/// The variables of a flow's execution, by name: a function whose first parameter is a `Context&` gets it. There is one for
/// the whole execution; `addContext` nests others in it. A name that isn't set here is looked up outwards.
class Context {
    using Where = std::source_location;

public:
    explicit Context(std::shared_ptr<Context> parent = nullptr) noexcept : parent_(std::move(parent)) {}
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    bool has(std::string_view name) const noexcept { return find(name) != nullptr; }
    /// Sets it here, whatever it is further out.
    template <class T>
    void set(std::string_view name, T&& value) {
        assign(name, detail::toAny(std::forward<T>(value)));
    }
    /// Throws `KeyError` when it isn't set.
    std::any& get(std::string_view name) const;
    /// The same as a T. Throws `WrongTypeError`, too.
    template <class T>
    T& get(std::string_view name, Where where = Where::current()) const {
        return detail::valueOf<T>(get(name), "context", {}, where);
    }

    // For the library.

    /// Null when it isn't set.
    std::any* find(std::string_view name) const noexcept;
    const std::shared_ptr<Context>& parent() const noexcept { return parent_; }
    std::deque<detail::Flush> flushes;

private:
    void assign(std::string_view name, std::any value);

    std::shared_ptr<Context> parent_;
    mutable std::map<std::string, std::any, std::less<>> values_;
};

} // namespace march
} // namespace ropewalk::flow2003
