#include <ropewalk/defer/describe.hpp>

#include <charconv>
#include <cstdint>

#include <ropewalk/defer/names.hpp>

namespace ropewalk::defer::detail {

namespace {

std::string at(const Chain& chain) {
    char digits[2 * sizeof(void*)];
    const auto end =
        std::to_chars(digits, digits + sizeof digits, reinterpret_cast<std::uintptr_t>(&chain), 16).ptr;
    return "Deferred at 0x" + std::string(digits, end);
}

} // namespace

std::string describe(const Chain& chain, std::string_view result) {
    std::string text = '<' + at(chain);
    if (chain.waitingOn != nullptr && (chain.waiting || !chain.called)) {
        text += " waiting on " + at(*chain.waitingOn);
    } else if (chain.called && !chain.waiting) {
        text += " current result: ";
        if (chain.kind == Chain::Kind::failure) {
            text += chain.failure.repr();
        } else if (chain.kind == Chain::Kind::none || chain.type->info == &typeid(void)) {
            text += "None";
        } else if (result.empty()) {
            text += '<' + typeName(*chain.type->info) + '>';
        } else {
            text += result;
        }
    }
    return text + '>';
}

std::string textOf(bool value) {
    return value ? "True" : "False";
}

std::string textOf(double value) {
    char digits[32];
    return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

std::string textOf(std::string_view value) {
    return '\'' + std::string(value) + '\'';
}

} // namespace ropewalk::defer::detail
