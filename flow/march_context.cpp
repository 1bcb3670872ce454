#include <ropewalk/flow/march_context.hpp>

#include <string>
#include <utility>

#include <ropewalk/defer/errors.hpp>

namespace ropewalk::flow2003::march {

std::any* Context::find(std::string_view name) const noexcept {
    for (const Context* at = this; at != nullptr; at = at->parent_.get()) {
        if (const auto found = at->values_.find(name); found != at->values_.end()) {
            return &found->second;
        }
    }
    return nullptr;
}

std::any& Context::get(std::string_view name) const {
    std::any* found = find(name);
    if (found == nullptr) {
        throw KeyError(std::string(name));
    }
    return *found;
}

void Context::assign(std::string_view name, std::any value) {
    values_.insert_or_assign(std::string(name), std::move(value));
}

} // namespace ropewalk::flow2003::march
