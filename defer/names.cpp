#include <ropewalk/defer/names.hpp>

#include <cxxabi.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <vector>

namespace ropewalk {
namespace {

bool isWord(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

/// Where the bracket that opens at `open` closes: the index behind it, or the text's end if it never does.
std::size_t behindGroup(std::string_view text, std::size_t open) {
    std::vector<char> closers;
    for (std::size_t i = open; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\'' && i + 2 < text.size()) {
            const std::size_t end = text.find('\'', text[i + 1] == '\\' ? i + 3 : i + 2);
            if (end != std::string_view::npos) i = end;
        } else if (c == '(') {
            closers.push_back(')');
        } else if (c == '<') {
            closers.push_back('>');
        } else if (c == '{') {
            closers.push_back('}');
        } else if (c == '[') {
            closers.push_back(']');
        } else if (c == '-' && i + 1 < text.size() && text[i + 1] == '>') {
            ++i;
        } else if (!closers.empty() && c == closers.back()) {
            closers.pop_back();
            if (closers.empty()) return i + 1;
        }
    }
    return text.size();
}

/// Whether nobody writes a namespace of this name: an inline one, or one of the standard library's own.
bool isInline(std::string_view prefix, std::string_view segment) {
    return (prefix.starts_with("std::") && segment.starts_with('_')) ||
           (prefix.starts_with("ropewalk::") && (segment == "checked" || segment == "unchecked"));
}

/// Reads a demangled type from left to right, template by template.
class TypeReader {
public:
    explicit TypeReader(std::string_view text) : text_(text) {}

    bool atEnd() const { return at_ == text_.size(); }

    /// Everything up to a bracket that isn't ours, or to a comma if those separate arguments here.
    std::string read(bool stopAtComma) {
        std::string out;
        std::size_t nameStart = 0; // in `out`: where the qualified name that is being read begins
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == '>' || c == ')' || c == '}' || c == ']' || (c == ',' && stopAtComma)) break;
            if (isWord(c)) {
                readWord(out, nameStart);
            } else if (c == '<') {
                const std::string name = out.substr(nameStart);
                out.resize(nameStart);
                out += instance(name, arguments());
            } else if (c == '(' || c == '[') {
                readGroup(out);
            } else if (c == '{') {
                const std::size_t end = behindGroup(text_, at_);
                out += text_.substr(at_).starts_with("{lambda") ? "<lambda>" : "<unnamed>";
                at_ = end;
            } else {
                out += c;
                ++at_;
                if (c != ':') nameStart = out.size();
            }
        }
        return out;
    }

private:
    void readWord(std::string& out, std::size_t nameStart) {
        const std::size_t start = at_;
        while (at_ < text_.size() && isWord(text_[at_])) ++at_;
        const std::string_view word = text_.substr(start, at_ - start);
        if (text_.substr(at_).starts_with("::") && isInline(std::string_view(out).substr(nameStart), word)) {
            at_ += 2;
        } else {
            out += word.starts_with("$_") ? "<lambda>" : word; // Clang's own name of a closure's type
        }
    }

    void readGroup(std::string& out) {
        constexpr std::string_view anonymous = "(anonymous namespace)::";
        const std::string_view rest = text_.substr(at_);
        if (rest.starts_with(anonymous)) {
            at_ += anonymous.size();
        } else if (rest.starts_with("[abi:")) {
            at_ = behindGroup(text_, at_);
        } else {
            out += text_[at_++];
            out += read(false);
            if (at_ < text_.size()) out += text_[at_++];
        }
    }

    std::vector<std::string> arguments() {
        std::vector<std::string> list;
        do {
            ++at_;
            while (at_ < text_.size() && text_[at_] == ' ') ++at_;
            std::string argument = read(true);
            while (argument.ends_with(' ')) argument.pop_back();
            if (!argument.empty()) list.push_back(std::move(argument));
        } while (at_ < text_.size() && text_[at_] == ',');
        if (at_ < text_.size()) ++at_;
        return list;
    }

    static bool isDefault(const std::string& argument, const std::string& first) {
        return argument.starts_with("std::allocator<") || argument == "std::char_traits<" + first + ">" ||
               argument == "std::less<" + first + ">" || argument == "std::hash<" + first + ">" ||
               argument == "std::equal_to<" + first + ">" ||
               argument == "std::default_delete<" + first + ">" || argument == "std::ratio<1l, 1l>";
    }

    static std::string instance(const std::string& name, std::vector<std::string> arguments) {
        const bool mayHaveDefaults = name.starts_with("std::") && name != "std::tuple" &&
                                     name != "std::pair" && name != "std::variant";
        while (mayHaveDefaults && arguments.size() > 1 && isDefault(arguments.back(), arguments.front()))
            arguments.pop_back();
        if (arguments.size() == 1 && arguments.front() == "char" && name.starts_with("std::basic_"))
            return "std::" + name.substr(std::string_view("std::basic_").size());
        std::string text = name + "<";
        for (std::size_t i = 0; i < arguments.size(); ++i) text += (i == 0 ? "" : ", ") + arguments[i];
        return text + ">";
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

/// Finds, in a compiler's spelling of a whole function, the function's own name: what stands before the
/// parameter list.
class FunctionReader {
public:
    explicit FunctionReader(std::string_view text) : text_(text) {}

    std::string read() {
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (isWord(c) || c == '~') {
                readWord();
            } else if (rest().starts_with("::")) {
                at_ += 2;
            } else if (c == '<') {
                readAngles();
            } else if (c == '{') {
                at_ = behindGroup(text_, at_);
            } else if (rest().starts_with(" [")) {
                break;
            } else if (c == '[') {
                at_ = behindGroup(text_, at_);
            } else if (c == '(') {
                if (startsSegment()) {
                    if (readUnnamed()) continue;
                    return FunctionReader(text_.substr(at_ + 1)).read();
                }
                if (endsWithParameters()) break;
            } else {
                segments_.clear();
                ++at_;
            }
        }
        std::string name;
        for (const std::string& segment : segments_) name += (name.empty() ? "" : "::") + segment;
        return name;
    }

private:
    std::string_view rest() const { return text_.substr(at_); }

    bool startsSegment() const {
        return segments_.empty() ? (at_ == 0 || !isWord(text_[at_ - 1]))
                                 : text_.substr(0, at_).ends_with("::");
    }

    void add(std::string segment) {
        const bool closureCall =
            segment == "operator()" && !segments_.empty() && segments_.back() == "<lambda>";
        const bool inlined = !segments_.empty() && isInline(segments_.front() + "::", segment);
        if (!closureCall && !inlined) segments_.push_back(std::move(segment));
    }

    void readWord() {
        const std::size_t start = at_++;
        while (at_ < text_.size() && isWord(text_[at_])) ++at_;
        const std::string_view word = text_.substr(start, at_ - start);
        if (word == "operator") {
            add(readOperator());
        } else if (word == "decltype" && rest().starts_with("(")) {
            at_ = behindGroup(text_, at_);
        } else {
            add(std::string(word));
        }
    }

    std::string readOperator() {
        constexpr std::array<std::string_view, 26> symbols = {
            "()", "[]", "<=>", "<<=", ">>=", "->*", "->", "<<", ">>", "<=", ">=", "==", "!=",
            "&&", "||", "++",  "--",  "+=",  "-=",  "*=", "/=", "%=", "^=", "&=", "|=", ","};
        std::string name = "operator";
        if (rest().starts_with(" ")) {
            const std::size_t start = at_ + 1;
            std::size_t nameStart = start;
            for (at_ = start; at_ < text_.size() && text_[at_] != '(' && text_[at_] != '<'; ++at_)
                if (text_[at_] == ':') nameStart = at_ + 1;
            return name + " " + std::string(text_.substr(nameStart, at_ - nameStart));
        }
        if (rest().starts_with("\"\"")) {
            const std::size_t start = at_;
            at_ += 2;
            while (at_ < text_.size() && (isWord(text_[at_]) || text_[at_] == ' ')) ++at_;
            return name + std::string(text_.substr(start, at_ - start));
        }
        for (std::string_view symbol : symbols) {
            if (!rest().starts_with(symbol)) continue;
            at_ += symbol.size();
            return name + std::string(symbol);
        }
        if (at_ < text_.size()) name += text_[at_++];
        return name;
    }

    /// Template arguments, which don't count; or GCC's name of a closure's type, which may follow a result
    /// type directly.
    void readAngles() {
        if (rest().starts_with("<lambda")) {
            if (!startsSegment()) segments_.clear();
            segments_.emplace_back("<lambda>");
        }
        at_ = behindGroup(text_, at_);
    }

    /// Clang's `(anonymous namespace)` and `(anonymous class)`.
    bool readUnnamed() {
        if (rest().starts_with("(anonymous class)") || rest().starts_with("(lambda ")) {
            segments_.emplace_back("<lambda>");
        } else if (!rest().starts_with("(anonymous ") && !rest().starts_with("(unnamed ")) {
            return false;
        }
        at_ = behindGroup(text_, at_);
        return true;
    }

    /// Whether the parameter list that begins here is the function's own, and not that of a function around
    /// it.
    bool endsWithParameters() {
        at_ = behindGroup(text_, at_);
        std::size_t next = at_;
        while (next < text_.size() && (isWord(text_[next]) || text_[next] == ' ' || text_[next] == '&'))
            ++next;
        if (!text_.substr(next).starts_with("::")) return true;
        at_ = next;
        return false;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::vector<std::string> segments_;
};

} // namespace

std::string detail::simplifyTypeName(std::string_view demangled) {
    TypeReader reader(demangled);
    std::string name = reader.read(false);
    return reader.atEnd() ? name : std::string(demangled);
}

std::string detail::simplifyFunctionName(std::string_view spelling) {
    const std::string name = FunctionReader(spelling).read();
    return name.empty() ? std::string(spelling) : name;
}

std::string typeName(const std::type_info& type) {
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> demangled(
        abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), &std::free);
    return status == 0 ? detail::simplifyTypeName(demangled.get()) : std::string(type.name());
}

std::string functionName(const std::source_location& location) {
    return detail::simplifyFunctionName(location.function_name());
}

std::string placeName(const std::source_location& location) {
    if (location.line() == 0) return {};
    return std::string(location.file_name()) + ":" + std::to_string(location.line());
}

} // namespace ropewalk
