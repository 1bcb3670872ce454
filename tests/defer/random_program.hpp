#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// Random programs over a few Deferreds, read from random bytes: fewer and smaller bytes make a smaller program.
/// Every slot holds a fresh Deferred at the start.
namespace programs {

inline constexpr std::size_t slotCount = 4;

struct Script;

/// One statement. Slots are variables that hold a Deferred or nothing; one that holds nothing makes the
/// statement a no-op.
struct Op {
    enum class Kind : std::uint8_t {
        make,     // a new Deferred, with or without a canceller
        callback, // add a callback, an errback, or a function for both
        errback,
        both,
        fire,
        fail,
        cancel,
        pause,
        unpause,
        chain, // chainDeferred to `other`
        drop,
        copy, // to `other`
        fork, // into `other`
        list, // of both, into `other`
        start // a coroutine
    };
    Kind kind;
    int id;
    std::size_t slot;
    std::size_t other;
    std::shared_ptr<const Script> script;
    bool fireOnOneErrback = false;
    bool consumeErrors = false;
};
using Ops = std::vector<Op>;

/// What a callback, a canceller or a coroutine does.
struct Script {
    enum class Outcome : std::uint8_t {
        value,
        error,    // thrown
        nothing,  // of an errback: None; of a canceller: it doesn't fire
        failure,  // returned
        same,     // as it was given
        number,   // of an errback: a value of another type
        deferred, // what is in the slot then
        captured, // what was in the slot when the callback was added
        succeeded,
        failed,
        fresh,         // a Deferred that nobody else has, so that it goes at once
        deferredNumber // of an errback: a fork of what is in the slot then, turned into another type
    };
    struct Await {
        enum class Form : std::uint8_t { slot, temporary, local };
        Ops before;
        std::size_t slot;
        Form form;
        bool asResult;
        bool catches;
    };

    int id;
    Outcome outcome;
    std::size_t slot;
    Ops ops;   // before it comes to its outcome
    Ops atEnd; // when the callable, or the coroutine's locals, are destroyed
    std::vector<Await> awaits;
    std::shared_ptr<const Script> canceller; // of the fresh Deferred
};

class Reader {
public:
    explicit Reader(const std::vector<std::uint8_t>& bytes) : bytes_(bytes) {}

    Ops program() {
        Ops ops;
        while (at_ < bytes_.size()) ops.push_back(op(0));
        return ops;
    }

private:
    std::uint8_t next() { return at_ < bytes_.size() ? bytes_[at_++] : std::uint8_t{0}; }
    std::size_t slot() { return next() % slotCount; }

    Op op(int depth) {
        using enum Op::Kind;
        static constexpr Op::Kind kinds[] = {
            fire,     callback, cancel,  callback, errback, both,  make, fire,     start,   copy,
            callback, chain,    fire,    fail,     start,   pause, drop, callback, unpause, both,
            fire,     callback, make,    fork,     cancel,  both,  drop, fire,     start,   callback,
            fail,     errback,  unpause, make,     fire,    chain, copy, list};
        Op made{kinds[next() % std::size(kinds)], ++ids_, slot(), 0, nullptr};
        switch (made.kind) {
            case make:
                if (const std::uint8_t how = next(); how % 2 != 0) made.script = canceller(how / 2, depth);
                break;
            case callback:
            case errback:
            case both:
                made.script = callable(depth);
                break;
            case start:
                made.script = coroutine(depth);
                break;
            case chain:
            case copy:
            case fork:
                made.other = slot();
                break;
            case list: {
                made.other = slot();
                const std::uint8_t options = next();
                made.fireOnOneErrback = options % 2 != 0;
                made.consumeErrors = options / 2 % 2 != 0;
                break;
            }
            default:
                break;
        }
        return made;
    }

    Ops inside(int depth) {
        static constexpr int counts[] = {0, 0, 0, 1, 0, 1, 2, 0};
        Ops ops;
        for (int n = depth < 3 ? counts[next() % std::size(counts)] : 0; n > 0; --n)
            ops.push_back(op(depth + 1));
        return ops;
    }
    Ops sometimes(int depth) { return next() % 4 == 3 ? inside(depth) : Ops{}; }

    std::shared_ptr<const Script> callable(int depth) {
        using enum Script::Outcome;
        static constexpr Script::Outcome outcomes[] = {value,    deferred,       error,  deferred,  nothing,
                                                       same,     captured,       number, succeeded, failure,
                                                       deferred, deferredNumber, failed, fresh};
        const auto outcome = outcomes[next() % std::size(outcomes)];
        const int id = ++ids_;
        const std::size_t from = slot();
        Script made{id, outcome, from, inside(depth), {}, {}, nullptr};
        made.atEnd = sometimes(depth);
        if (outcome == fresh) made.canceller = canceller(0, depth + 1);
        return std::make_shared<Script>(std::move(made));
    }

    std::shared_ptr<const Script> canceller(int how, int depth) {
        using enum Script::Outcome;
        static constexpr Script::Outcome outcomes[] = {nothing, value, failed, error};
        const int id = ++ids_;
        Script made{id, outcomes[how % 4], 0, inside(depth), {}, {}, nullptr};
        made.atEnd = sometimes(depth);
        return std::make_shared<Script>(std::move(made));
    }

    std::shared_ptr<const Script> coroutine(int depth) {
        using enum Script::Outcome;
        const std::uint8_t shape = next();
        Script made{++ids_, shape % 4 == 3 ? error : value, 0, {}, {}, {}, nullptr};
        for (int left = shape / 4 % 4; left > 0; --left) {
            Ops before = inside(depth);
            const std::size_t from = slot();
            const std::uint8_t form = next();
            made.awaits.push_back({std::move(before), from, static_cast<Script::Await::Form>(form % 3),
                                   form / 3 % 2 != 0, form / 6 % 2 != 0});
        }
        made.ops = inside(depth);
        made.atEnd = sometimes(depth);
        return std::make_shared<Script>(std::move(made));
    }

    const std::vector<std::uint8_t>& bytes_;
    std::size_t at_ = 0;
    int ids_ = 0;
};

std::string text(const Ops& ops, const std::string& indent = {});

inline std::string text(const Script& script, const std::string& indent) {
    static constexpr const char* outcomes[] = {"value",     "error",  "nothing",  "failure",
                                               "same",      "number", "deferred", "captured",
                                               "succeeded", "failed", "fresh",    "deferredNumber"};
    static constexpr const char* forms[] = {"slot", "temporary", "local"};
    std::string all = " #" + std::to_string(script.id) + " -> " + outcomes[static_cast<int>(script.outcome)] +
                      " (slot " + std::to_string(script.slot) + ")\n";
    for (const Script::Await& await : script.awaits) {
        all += text(await.before, indent + "    ") + indent + "    co_await slot " +
               std::to_string(await.slot) + ", " + forms[static_cast<int>(await.form)] +
               (await.asResult ? ", result" : "") + (await.catches ? ", catches" : "") + '\n';
    }
    all += text(script.ops, indent + "    ");
    if (script.canceller != nullptr) all += indent + "  canceller" + text(*script.canceller, indent);
    if (!script.atEnd.empty()) all += indent + "  at its end\n" + text(script.atEnd, indent + "    ");
    return all;
}

inline std::string text(const Ops& ops, const std::string& indent) {
    static constexpr const char* names[] = {"make", "callback", "errback", "both",    "fire",
                                            "fail", "cancel",   "pause",   "unpause", "chain",
                                            "drop", "copy",     "fork",    "list",    "start"};
    std::string all;
    for (const Op& op : ops) {
        all += indent + names[static_cast<int>(op.kind)] + ' ' + std::to_string(op.slot);
        if (op.kind == Op::Kind::chain || op.kind == Op::Kind::copy || op.kind == Op::Kind::fork ||
            op.kind == Op::Kind::list) {
            all += " to " + std::to_string(op.other);
        }
        if (op.fireOnOneErrback) all += ", fireOnOneErrback";
        if (op.consumeErrors) all += ", consumeErrors";
        if (op.kind == Op::Kind::fire || op.kind == Op::Kind::fail) all += " with " + std::to_string(op.id);
        all += op.script != nullptr ? text(*op.script, indent) : "\n";
    }
    return all;
}

} // namespace programs
